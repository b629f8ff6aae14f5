-- Whether events that a consumer was given are still its own; if so, count their time from now, not their deliveries.
-- KEYS  1 events
-- ARGV  1 group  2 consumer  3.. ids
-- Returns {id that is still its own…}

local kept = {}
for i = 3, #ARGV do
  local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if not pending.err and pending[1] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
    kept[#kept + 1] = ARGV[i]
  end
end
return kept
