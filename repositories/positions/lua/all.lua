-- Return all positions of one trader.
-- KEYS positions   the symbols of the trader's positions
-- Touches the positions of these symbols
-- ARGV base        what the keys of the trader's positions begin with
-- Returns {position…, …}

local found = {}
for i, symbol in ipairs(redis.call('SMEMBERS', KEYS.positions)) do
  local position = redis.call('HGETALL', ARGV.base .. symbol)
  if #position == 0 then
    -- Every listed symbol has a position, so this one has not arrived here yet: its slot is migrating.
    return redis.error_reply('TRYAGAIN ' .. KEYS.positions .. ' names ' .. symbol .. ', whose position is not here')
  end
  found[i] = position
end
return found
