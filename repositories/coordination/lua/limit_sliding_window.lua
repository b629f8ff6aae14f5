-- Count a request in a sliding window. It is a sorted set with one entry for each unit of cost that was allowed within the
-- last window, so it never has more entries than the limit.
-- Uses coordination/limit, changes/clock, changes/numbers
-- KEYS counter       what has been counted under this name
--      permit        of this request
-- ARGV limit         how much a window allows
--      window        in microseconds
--      cost          how much this request counts
--      remembered    how long the permit is remembered, in microseconds
--      now           in microseconds; '' for the server's clock, which only tests replace
--      request_id    names the entries of this request
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost
--         {'corrupt', key, field, value}

local now, remembered = tonumber(ARGV.now) or now_us(), tonumber(ARGV.remembered)
local repeated = reply_to_repeat(KEYS.permit, ARGV.cost, now, remembered)
if repeated then return repeated end

local limit, window, cost = tonumber(ARGV.limit), tonumber(ARGV.window), tonumber(ARGV.cost)
-- When the clock has gone back, entries that are later than it begin their window now.
local later = redis.call('ZRANGEBYSCORE', KEYS.counter, '(' .. integer_text(now), '+inf')
for _, entry in ipairs(later) do redis.call('ZADD', KEYS.counter, integer_text(now), entry) end
if #later > 0 then expire_in(KEYS.counter, window) end
local window_start = integer_text(now - window)
local used = redis.call('ZCOUNT', KEYS.counter, '(' .. window_start, '+inf')

local surplus = used + cost - limit
if surplus > 0 then
  -- The request fits once as many of the oldest entries have left the window as there is surplus.
  local leaves = redis.call(
    'ZRANGEBYSCORE', KEYS.counter, '(' .. window_start, '+inf', 'WITHSCORES', 'LIMIT', surplus - 1, 1
  )[2]
  return deny(limit - used, tonumber(leaves) + window - now)
end
for unit = 1, cost do redis.call('ZADD', KEYS.counter, integer_text(now), ARGV.request_id .. ':' .. unit) end
redis.call('ZREMRANGEBYSCORE', KEYS.counter, '-inf', window_start)
expire_in(KEYS.counter, window)
return allow(KEYS.permit, ARGV.cost, now, remembered, limit - used - cost)
