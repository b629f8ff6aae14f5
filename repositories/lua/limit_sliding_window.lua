-- Count what was allowed within the last window, from a log that has one entry per unit of cost, so never more than the
-- limit. KEYS, ARGV and what is returned: limit.lua.

not_before(tonumber(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or '0'))
local gone = whole(now - window)
local used = redis.call('ZCOUNT', KEYS[1], '(' .. gone, '+inf')

local surplus = used + cost - limit
if surplus > 0 then
  local leaves = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. gone, '+inf', 'WITHSCORES', 'LIMIT', surplus - 1, 1)[2]
  return denied(limit - used, tonumber(leaves) + window - now)
end
for unit = 1, cost do redis.call('ZADD', KEYS[1], whole(now), ARGV[1] .. ':' .. unit) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', gone)
expire_in(KEYS[1], window)
return allowed(limit - used - cost)
