-- Remove a trader's oldest events, but never the last one, because its number decides the next one's.
-- KEYS events
-- ARGV before         the sequence number of the first event that stays
-- Returns how many events were removed

local last = redis.call('XREVRANGE', KEYS.events, '+', '-', 'COUNT', 1)[1]
if not last then return 0 end
local first_kept = math.min(tonumber(ARGV.before), tonumber(string.match(last[1], '^%d+')))
return redis.call('XTRIM', KEYS.events, 'MINID', string.format('%.0f', first_kept))
