-- Read an order, and what is remembered with it of some changes.
-- KEYS order
--      applied      what is remembered of its changes
-- ARGV entries...   the names of the changes
-- Returns {fields and values, what is remembered…}: nil for a change that is not

return { redis.call('HGETALL', KEYS.order), redis.call('HMGET', KEYS.applied, unpack(ARGV, FIRST.entries)) }
