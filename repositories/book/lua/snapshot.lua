-- Begin to read a trader's whole book: its positions, and the ids of its orders.
-- KEYS book
--      positions      the symbols of the trader's positions
--      indexes...     of all statuses
-- Touches the positions
-- ARGV base           what the trader's keys begin with
-- Returns {last sequence, {id, …}, position…}

local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local ids = {}
for i = FIRST.indexes, #KEYS do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], '(' .. now, '+inf')) do ids[#ids + 1] = id end
end
local found = { redis.call('HGET', KEYS.book, 'sequence') or '0', ids }
for _, symbol in ipairs(redis.call('SMEMBERS', KEYS.positions)) do
  local position = redis.call('HGETALL', ARGV.base .. 'position:' .. symbol)
  if #position == 0 then
    -- Every listed symbol has a position, so this one has not arrived here yet: its slot is migrating.
    return redis.error_reply('TRYAGAIN ' .. KEYS.positions .. ' names ' .. symbol .. ', whose position is not here')
  end
  found[#found + 1] = position
end
return found
