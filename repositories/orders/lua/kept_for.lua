-- Read for how many milliseconds each order is still kept.
-- KEYS orders...
-- Returns {number, …}: -1 for an order that does not expire, -2 for none

local left = {}
for i, key in ipairs(KEYS) do left[i] = redis.call('PTTL', key) end
return left
