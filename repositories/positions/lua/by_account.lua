-- Return positions of one trader's accounts.
-- KEYS account_positions   the account and the symbol of each, with a colon between them
-- Touches these positions
-- ARGV base      what the keys of the positions begin with
--      account   with its colons escaped, '' for all
--      symbol    '' for all
-- Returns {position…, …}

local found = {}
for _, name in ipairs(redis.call('SMEMBERS', KEYS.account_positions)) do
  local account, symbol = string.match(name, '^([^:]*):(.*)$')
  if (ARGV.account == '' or account == ARGV.account) and (ARGV.symbol == '' or symbol == ARGV.symbol) then
    local position = redis.call('HGETALL', ARGV.base .. name)
    if #position == 0 then
      -- Every listed one is there, so this one has not arrived here yet: its slot is migrating.
      return redis.error_reply('TRYAGAIN ' .. KEYS.account_positions .. ' names ' .. name .. ', whose position is not here')
    end
    found[#found + 1] = position
  end
end
return found
