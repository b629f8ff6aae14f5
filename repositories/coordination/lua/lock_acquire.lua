-- Take a lock that nobody holds.
-- Uses coordination/lock
-- KEYS  1 lock
-- ARGV  1 token  2 lease in milliseconds
-- Returns {'held', fence}: granted now, or before to the same token  {'busy', milliseconds left to its holder}
--         {'over'}: granted to the same token before, and over  {'corrupt', key, field, value}

if lock.owner == token then
  return now < ends and { 'held', lock.fence } or { 'over' }
end
local lease = tonumber(lock.lease_ms) or 0
if lease > 0 and ends - now > lease then
  -- The clock has gone back since the lease was given: it ends when it has lasted so long from now.
  ends = now + lease
  redis.call('HSET', KEYS[1], 'ends_ms', integer_text(ends))
end
if now < ends then return { 'busy', integer_text(ends - now) } end

-- Also above every fence that a server may have granted and lost: none was granted in the future.
local fence = integer_text(math.max(tonumber(lock.fence) + 1, now_us()))
local lost = lock.lost or ''
if ends > 0 then lost = string.sub(lost .. ' ' .. lock.fence, -LOST_KEPT) end
redis.call('HSET', KEYS[1], 'owner', token, 'fence', fence, 'lost', lost, unpack(leased(ARGV[2])))
return { 'held', fence }
