-- Begin to read a trader's whole book: its positions, and the ids of its orders.
-- KEYS book
--      positions      the symbols of the trader's positions
--      account_positions  the account and the symbol of each of those of accounts
--      indexes...     of all statuses
-- Touches the positions, also those of accounts
-- ARGV base           what the trader's keys begin with
-- Returns {last sequence, {id, …}, {position of an account, …}, position…}

local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local ids = {}
for i = FIRST.indexes, #KEYS do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], '(' .. now, '+inf')) do ids[#ids + 1] = id end
end
local found = { redis.call('HGET', KEYS.book, 'sequence') or '0', ids, {} }

-- Add the positions that a set lists to a list; return the error for one that is not here.
local function add(list, set, kind)
  for _, name in ipairs(redis.call('SMEMBERS', set)) do
    local position = redis.call('HGETALL', ARGV.base .. kind .. name)
    if #position == 0 then
      -- Every listed position is there, so this one has not arrived here yet: its slot is migrating.
      return redis.error_reply('TRYAGAIN ' .. set .. ' names ' .. name .. ', whose position is not here')
    end
    list[#list + 1] = position
  end
end

local missing = add(found[3], KEYS.account_positions, 'account_position:') or add(found, KEYS.positions, 'position:')
if missing then return missing end
return found
