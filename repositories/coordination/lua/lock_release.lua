-- Give a lock back; only its holder can.
-- Uses coordination/lock
-- KEYS  1 lock
-- ARGV  1 token  2 fence
-- Returns {'released'}: now, or before by the same holder  {'lost'}: its lease had run out  {'corrupt', key, field, value}

if lock.owner == token then
  if ends == 0 then return { 'released' } end
  if now >= ends then return { 'lost' } end
  redis.call('HSET', KEYS[1], 'ends_ms', '0')
  return { 'released' }
end
-- There was another holder since. This one released it before that, or is among those who lost it.
local lost = lock.lost or ''
local forgotten = #lost == LOST_KEPT and tonumber(ARGV[2]) < tonumber(string.match(lost, '%d+'))
if tonumber(ARGV[2]) > tonumber(lock.fence) or forgotten or string.find(lost, ' ' .. ARGV[2], 1, true) then
  return { 'lost' }
end
return { 'released' }
