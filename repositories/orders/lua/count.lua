-- Count the live orders of each index: those that have not expired.
-- KEYS indexes...
-- Returns {number, …}

local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local counts = {}
for i, index in ipairs(KEYS) do counts[i] = redis.call('ZCOUNT', index, '(' .. now, '+inf') end
return counts
