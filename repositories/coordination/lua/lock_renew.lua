-- Let a holder's lease begin again now.
-- Uses coordination/lock
-- KEYS  1 lock
-- ARGV  1 token  2 lease in milliseconds
-- Returns {'held', fence}  {'lost'}: it is not the holder's any more  {'corrupt', key, field, value}

if lock.owner ~= token or now >= ends then return { 'lost' } end
redis.call('HSET', KEYS[1], unpack(leased(ARGV[2])))
return { 'held', lock.fence }
