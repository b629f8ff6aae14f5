-- Read what some of a trader's events have changed, as it is now.
-- KEYS book
--      events
--      limits
-- Touches the orders and positions that the events name, also those of accounts
-- ARGV base           what the trader's keys begin with
--      after          the number of the event after which to begin
--      count          events at most
-- Returns {last sequence, number of the last event read, {order…, …}, {position…, …}, limits, switch of trading, {position of an
--         account…, …}}: when these numbers are equal, all is as it was after that event
--         {}: events after the first number are no longer kept

local found = redis.call('XRANGE', KEYS.events, '(' .. ARGV.after .. '-0', '+', 'COUNT', ARGV.count)
local last = redis.call('HGET', KEYS.book, 'sequence') or '0'
local read = ARGV.after + 0
local orders, positions, accounts, seen = {}, {}, {}, {}

-- Add the hash of a key to a list, once.
local function add(list, key)
  if seen[key] then return end
  seen[key] = true
  local fields = redis.call('HGETALL', key)
  if #fields > 0 then list[#list + 1] = fields end
end

-- Add the position of an account in a symbol.
local function add_account(account, symbol)
  local escaped = string.gsub(account, '[%%:]', { ['%'] = '%25', [':'] = '%3A' })
  add(accounts, ARGV.base .. 'account_position:' .. escaped .. ':' .. symbol)
end

for _, event in ipairs(found) do
  local symbol
  local number = string.match(event[1], '^%d+') + 0
  if number ~= read + 1 then return {} end
  read = number
  for i = 1, #event[2], 2 do
    if event[2][i] == 'order_id' then add(orders, ARGV.base .. 'order:' .. event[2][i + 1]) end
    if event[2][i] == 'symbol' then
      symbol = event[2][i + 1]
      add(positions, ARGV.base .. 'position:' .. symbol)
    end
    if event[2][i] == 'account' then add_account(event[2][i + 1], symbol) end
    if event[2][i] == 'accounts' then
      for account in pairs(cjson.decode(event[2][i + 1])) do add_account(account, symbol) end
    end
  end
end
if #found == 0 and last + 0 > read then return {} end
-- The header is behind its stream when a user was denied the rest of a change.
if #found < ARGV.count + 0 and read > last + 0 then last = string.format('%.0f', read) end
return {
  last, string.format('%.0f', read), orders, positions, redis.call('HGETALL', KEYS.limits),
  redis.call('HGET', KEYS.book, 'trading') or '', accounts,
}
