-- Read an entry and for how long it is fresh.
-- KEYS entry
-- ARGV stale   milliseconds for which an entry is served after it has become stale
-- Returns {'hit', milliseconds of freshness left, field, value, ...}, without fields when there is no entry

local flat = redis.call('HGETALL', KEYS.entry)
local left = redis.call('PTTL', KEYS.entry)
return { 'hit', string.format('%.0f', left == -1 and 1e15 or left - tonumber(ARGV.stale)), unpack(flat) }
