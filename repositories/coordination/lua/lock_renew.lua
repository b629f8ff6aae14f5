-- Let a holder's lease begin again now.
-- Uses coordination/lock, changes/clock
-- KEYS lock
-- ARGV token
--      lease    in milliseconds
-- Returns {'held', fence}
--         {'lost'}: the caller does not hold the lock any more
--         {'corrupt', key, field, value}

local lock, corrupt = read_lock(KEYS.lock)
if corrupt then return corrupt end
local now = now_ms()
if lock.owner ~= ARGV.token or now >= tonumber(lock.ends_ms) then return { 'lost' } end
redis.call('HSET', KEYS.lock, unpack(lease_fields(now, ARGV.lease)))
return { 'held', lock.fence }
