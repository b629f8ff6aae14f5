-- Read when keys expire.
-- KEYS keys...
-- Returns {milliseconds since the epoch, …}; -1 for never, -2 for a key that does not exist

local found = {}
for i, key in ipairs(KEYS) do found[i] = redis.call('PEXPIRETIME', key) end
return found
