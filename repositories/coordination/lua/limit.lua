-- Shared: the permits of rate limiters. A permit is remembered as 'cost granted_at remaining', so that a repeated request
-- gets the same reply and is counted once. Times are whole microseconds.
-- Uses changes/numbers

-- Return the reply to a request that was allowed before, or that cannot be judged; nil for a new one.
local function reply_to_repeat(permit, cost, now, remembered)
  local stored = redis.call('GET', permit)
  if not stored then return nil end
  local first_cost, granted_at, remaining = string.match(stored, '^(%d+) (%d+) (%d+)$')
  if not granted_at then return { 'corrupt', permit, 'value', stored } end
  if now >= tonumber(granted_at) + remembered then return nil end
  if first_cost ~= cost then return { 'duplicate' } end
  return { 'allowed', remaining, '0' }
end

local function expire_in(key, microseconds)
  redis.call('PEXPIRE', key, integer_text(math.ceil(microseconds / 1000)))
end

-- Remember the permit for so many microseconds, and return it as a reply.
local function allow(permit, cost, now, remembered, remaining)
  redis.call('SET', permit, table.concat({ cost, integer_text(now), integer_text(remaining) }, ' '))
  expire_in(permit, remembered)
  return { 'allowed', integer_text(remaining), '0' }
end

local function deny(remaining, retry_after)
  return { 'denied', integer_text(remaining), integer_text(retry_after) }
end
