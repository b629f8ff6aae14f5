-- Return the live orders of some indexes of one trader: those that have not expired.
-- KEYS indexes...
-- Touches the orders that the indexes name
-- ARGV base    what the keys of the trader's orders begin with
--      limit   how many orders to bring along
-- Returns {order…, …, {id, …}}: the first orders, and last the ids of those that were left out

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local found, left, limit = {}, {}, tonumber(ARGV.limit)
for _, index in ipairs(KEYS) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', index, '(' .. string.format('%.0f', now), '+inf')) do
    if #found < limit then
      local order = redis.call('HGETALL', ARGV.base .. id)
      if #order > 0 then
        found[#found + 1] = order
      elseif redis.call('ZSCORE', index, id) == 'inf' then
        return redis.error_reply('TRYAGAIN the index ' .. index .. ' names order ' .. id .. ', which is not here')
      end -- else it has expired, and the clock has gone back since
    else
      left[#left + 1] = id
    end
  end
end
found[#found + 1] = left
return found
