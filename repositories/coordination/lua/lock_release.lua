-- Release a lock; only its holder can.
-- Uses coordination/lock, changes/clock
-- KEYS lock
-- ARGV token
--      fence
-- Returns {'released'}: now, or before by the same holder
--         {'lost'}: the holder's lease had run out
--         {'corrupt', key, field, value}

local lock, corrupt = read_lock(KEYS.lock)
if corrupt then return corrupt end
local now, ends = now_ms(), tonumber(lock.ends_ms)
if lock.owner == ARGV.token then
  if ends == 0 then return { 'released' } end
  if now >= ends then return { 'lost' } end
  redis.call('HSET', KEYS.lock, 'ends_ms', '0')
  return { 'released' }
end
-- The lock was granted to another caller since. Either the caller has released it before that, or its lease ran out: then its
-- fence is in `lost`, unless it is older than all of those and was dropped because there were too many.
local lost = lock.lost or ''
local dropped = #lost == MAX_LOST_LENGTH and tonumber(ARGV.fence) < tonumber(string.match(lost, '%d+'))
if tonumber(ARGV.fence) > tonumber(lock.fence) or dropped or string.find(lost, ' ' .. ARGV.fence, 1, true) then
  return { 'lost' }
end
return { 'released' }
