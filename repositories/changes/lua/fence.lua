-- Shared: changes that are only made while a lock is held.
-- Uses changes/clock

-- Return the reply that says why a change under a lock must not be made, nil when it may be made. Steps ask after they have
-- recognised repeats: a repeat gets its first result even without the lock.
local function fence_refusal(lock, fence)
  local current, ends_ms = unpack(redis.call('HMGET', lock, 'fence', 'ends_ms'))
  if current == fence and now_ms() < (tonumber(ends_ms) or 0) then return nil end
  return { 'fence', lock, fence }
end
