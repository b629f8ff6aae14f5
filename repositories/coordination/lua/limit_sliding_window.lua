-- Count what was allowed within the last window, from a log that has one entry per unit of cost, so never more than the
-- limit.
-- Uses coordination/limit
-- KEYS  1 what has been counted  2 request
-- ARGV  1 request_id  2 limit  3 window  4 cost  5 how long the request is remembered  6 now, only in a test, or ''
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost  {'corrupt', key, field, value}

not_before(tonumber(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or '0'))
local gone = integer_text(now - window)
local used = redis.call('ZCOUNT', KEYS[1], '(' .. gone, '+inf')

local surplus = used + cost - limit
if surplus > 0 then
  local leaves = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. gone, '+inf', 'WITHSCORES', 'LIMIT', surplus - 1, 1)[2]
  return denied(limit - used, tonumber(leaves) + window - now)
end
for unit = 1, cost do redis.call('ZADD', KEYS[1], integer_text(now), ARGV[1] .. ':' .. unit) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', gone)
expire_in(KEYS[1], window)
return allowed(limit - used - cost)
