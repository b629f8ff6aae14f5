-- An entry and how long it is fresh.
-- KEYS  1 entry
-- ARGV  1 milliseconds that an entry is served after it has become stale
-- Returns {'hit', milliseconds of freshness left, field…}

local flat = redis.call('HGETALL', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
return { 'hit', string.format('%.0f', left == -1 and 1e15 or left - tonumber(ARGV[1])), unpack(flat) }
