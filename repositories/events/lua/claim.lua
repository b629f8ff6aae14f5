-- Take over events that a consumer of the group was given too long ago, and say how often each has been delivered.
-- KEYS  1 events
-- ARGV  1 group  2 consumer  3 milliseconds that are too long  4 the id to begin at  5 how many
-- Returns {the id to begin at next time, {id of an event that is no longer kept…}, {id, fields, deliveries}…}

local claimed = redis.pcall('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
if claimed.err then
  if string.find(claimed.err, 'NOGROUP', 1, true) then return { '0-0', {} } end
  return claimed
end
local found = { claimed[1], claimed[3] or {} }
for _, entry in ipairs(claimed[2]) do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1]
  found[#found + 1] = { entry[1], entry[2], pending and pending[4] or 1 }
end
return found
