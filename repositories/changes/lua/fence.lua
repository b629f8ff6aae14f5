-- Shared: changes that are only made while a lock is held.
-- Uses changes/clock

-- Why a change under a lock must not be made, as a reply; nil when it may. Without a lock it may. Asked when a repeat has been
-- recognised: that gets its first result, whoever holds the lock by now.
local function fence_refusal(lock, fence)
  if not lock then return nil end
  local held, ends = unpack(redis.call('HMGET', lock, 'fence', 'ends_ms'))
  if held == fence and now_ms() < (tonumber(ends) or 0) then return nil end
  return { 'fence', lock, fence }
end
