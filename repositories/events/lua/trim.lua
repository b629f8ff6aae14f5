-- Drop a book's oldest events, but never its last, by which the next one is numbered.
-- KEYS  1 events
-- ARGV  1 the number of the first that stays
-- Returns how many were dropped

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not last then return 0 end
local first = math.min(tonumber(ARGV[1]), tonumber(string.match(last[1], '^%d+')))
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', first))
