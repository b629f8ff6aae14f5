-- Take a lock that is free.
-- Uses coordination/lock, changes/clock, changes/numbers
-- KEYS lock
-- ARGV token    names the caller; another call with the same token gets the same grant
--      lease    in milliseconds
-- Returns {'held', fence}: granted now, or before to the same token
--         {'busy', milliseconds until the holder's lease ends}
--         {'over'}: granted to the same token before, and released or lost since
--         {'corrupt', key, field, value}

local lock, corrupt = read_lock(KEYS.lock)
if corrupt then return corrupt end
local now, ends = now_ms(), tonumber(lock.ends_ms)
if lock.owner == ARGV.token then
  return now < ends and { 'held', lock.fence } or { 'over' }
end
local lease = tonumber(lock.lease_ms) or 0
if lease > 0 and ends - now > lease then
  -- More time is left than the whole lease, so the clock has gone back since. Let the lease begin again now, or the lock
  -- would stay with its holder for as long as the clock went back.
  ends = now + lease
  redis.call('HSET', KEYS.lock, 'ends_ms', integer_text(ends))
end
if now < ends then return { 'busy', integer_text(ends - now) } end

-- A fence is at least the time of its grant in microseconds. So this one is also above those that a server granted and then
-- lost in a failover.
local fence = integer_text(math.max(tonumber(lock.fence) + 1, now_us()))
local lost = lock.lost or ''
if ends > 0 then lost = string.sub(lost .. ' ' .. lock.fence, -MAX_LOST_LENGTH) end
redis.call('HSET', KEYS.lock, 'owner', ARGV.token, 'fence', fence, 'lost', lost, unpack(lease_fields(now, ARGV.lease)))
return { 'held', fence }
