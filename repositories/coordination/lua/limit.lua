-- The beginning of every rate limiter, which judges one request. Times are whole microseconds by the server's clock.
-- Uses changes/hashes, changes/clock, changes/numbers, coordination/integers
-- KEYS  1 what has been counted  2 request
-- ARGV  1 request_id  2 limit  3 window  4 cost  5 how long the request is remembered  6 now, only in a test, or ''
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost  {'corrupt', key, field, value}

local limit, window, cost, memory = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = tonumber(ARGV[6]) or now_us()

local function expire_in(key, microseconds)
  redis.call('PEXPIRE', key, integer_text(math.ceil(microseconds / 1000)))
end

local function allowed(remaining)
  redis.call('SET', KEYS[2], table.concat({ ARGV[4], integer_text(now), integer_text(remaining) }, ' '))
  expire_in(KEYS[2], memory)
  return { 'allowed', integer_text(remaining), '0' }
end

local function denied(remaining, retry_after)
  return { 'denied', integer_text(remaining), integer_text(retry_after) }
end

-- The clock of a server that took over may be behind: for what has been counted, time stands still until it has caught up.
local function not_before(counted_at)
  now = math.max(now, counted_at)
end

local known = redis.call('GET', KEYS[2])
if known then
  local first_cost, granted, remaining = string.match(known, '^(%d+) (%d+) (%d+)$')
  if not granted then return { 'corrupt', KEYS[2], 'value', known } end
  if now < tonumber(granted) + memory then
    if first_cost ~= ARGV[4] then return { 'duplicate' } end
    return { 'allowed', remaining, '0' }
  end
end
