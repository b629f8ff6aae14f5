-- All positions of one trader.
-- KEYS  1 positions; and the positions that it names
-- ARGV  1 base of the trader's position keys
-- Returns {position…, …}

local found = {}
for i, symbol in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local position = redis.call('HGETALL', ARGV[1] .. symbol)
  if #position == 0 then
    -- Every listed symbol has a position, so this one has not arrived here yet: its slot is on the move.
    return redis.error_reply('TRYAGAIN ' .. KEYS[1] .. ' names ' .. symbol .. ', whose position is not here')
  end
  found[i] = position
end
return found
