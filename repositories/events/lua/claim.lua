-- Claim events that a consumer of the group has had for too long and never acknowledged (XAUTOCLAIM).
-- Uses events/group
-- KEYS events
-- ARGV group
--      consumer       the consumer that claims them
--      min_idle       milliseconds after which a delivery may be claimed
--      start          the id to begin at; 0-0 for the beginning
--      count          events to claim, at most
-- Returns {the start of the next call, {id of an event that is no longer kept…}, {id, fields, hand-overs}…}

local claimed = unless_no_group(redis.pcall(
  'XAUTOCLAIM', KEYS.events, ARGV.group, ARGV.consumer, ARGV.min_idle, ARGV.start, 'COUNT', ARGV.count, 'JUSTID'
))
if not claimed then return { '0-0', {} } end
local reply = { claimed[1], claimed[3] or {} }
for _, id in ipairs(claimed[2]) do
  local pending = pending_event(KEYS.events, ARGV.group, id)
  if pending then reply[#reply + 1] = described(KEYS.events, id, pending[4]) end
end
return reply
