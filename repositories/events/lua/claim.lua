-- Claim events that a consumer of the group was given too long ago and never acknowledged (XAUTOCLAIM).
-- KEYS events
-- ARGV group
--      consumer       the consumer that claims them
--      min_idle       milliseconds after which a delivery may be claimed
--      start          the id to begin at; 0-0 for the beginning
--      count          events to claim, at most
-- Returns {the start of the next call, {id of an event that is no longer kept…}, {id, fields, deliveries}…}

local claimed = redis.pcall(
  'XAUTOCLAIM', KEYS.events, ARGV.group, ARGV.consumer, ARGV.min_idle, ARGV.start, 'COUNT', ARGV.count
)
if claimed.err then
  if string.find(claimed.err, 'NOGROUP', 1, true) then return { '0-0', {} } end
  return claimed
end
local reply = { claimed[1], claimed[3] or {} }
for _, entry in ipairs(claimed[2]) do
  local pending = redis.call('XPENDING', KEYS.events, ARGV.group, entry[1], entry[1], 1)[1]
  reply[#reply + 1] = { entry[1], entry[2], pending and pending[4] or 1 }
end
return reply
