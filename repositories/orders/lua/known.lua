-- Read an order, and what is remembered with it of some changes.
-- KEYS order
--      applied      what is remembered of its changes
-- ARGV entries...   the names of the changes
-- Returns {fields and values, what is remembered…}: nil for a change that is not

local order, entries = redis.call('HGETALL', KEYS.order), redis.call('HMGET', KEYS.applied, unpack(ARGV, FIRST.entries))
for i = 1, #order, 2 do
  for n = FIRST.entries, #ARGV do
    if ARGV[n] == order[i] then entries[n - FIRST.entries + 1] = order[i + 1] end
  end
end
return { order, entries }
