-- Restart the idle time of events that still belong to a consumer, so that no other consumer claims them; this does not
-- count as a delivery.
-- KEYS events
-- ARGV group
--      consumer
--      ids...         entries that the consumer was given
-- Returns {id that still belongs to the consumer…}

local kept = {}
for i = FIRST.ids, #ARGV do
  local pending = redis.pcall('XPENDING', KEYS.events, ARGV.group, ARGV[i], ARGV[i], 1, ARGV.consumer)
  if not pending.err and pending[1] then
    redis.call('XCLAIM', KEYS.events, ARGV.group, ARGV.consumer, 0, ARGV[i], 'JUSTID')
    kept[#kept + 1] = ARGV[i]
  end
end
return kept
