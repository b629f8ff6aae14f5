-- Of the engine: changes of the positions of accounts without an order: one account's, with that of its symbol, or by a split and a roll
-- all that a symbol has.
-- Uses changes/run, changes/cost, changes/accounts, changes/publish, changes/multiplier, changes/totals

local MOST_ACCOUNTS = CONSTANTS.MOST_ACCOUNTS -- whose positions in a symbol one change may touch

-- Return the positions that accounts have in a symbol and that were changed once, by the names of the accounts; or nil and the refusal.
local function accounts_in(symbol)
  local found, known = {}, {}
  local function add(position)
    if known[position.key] then return end
    known[position.key] = true
    if position.version ~= 0 then found[#found + 1] = position end
  end
  for _, name in ipairs(redis.call('SMEMBERS', base .. 'account_positions')) do
    local account, of = string.match(name, '^([^:]*):(.*)$')
    if of == symbol then
      local position = RARE.load_account(string.gsub(account, '%%(%x%x)', { ['25'] = '%', ['3A'] = ':' }) .. '', symbol)
      if problem then return nil, problem end
      if position.is_new and not position.is_changed then -- it has not arrived here yet: its slot is migrating
        error({ err = 'TRYAGAIN ' .. base .. 'account_positions names ' .. name .. ', whose position is not here' }, 0)
      end
      add(position)
    end
  end
  for _, position in pairs(positions) do
    if position.account and position.symbol == symbol and position.is_changed then add(position) end
  end
  if #found > MOST_ACCOUNTS then return nil, { 'accounts', #found } end
  table.sort(found, function(one, other) return one.account < other.account end)
  return found
end

-- Plan what a split or a roll makes of the positions of accounts in a symbol. Return the plans, and for a split the quantity that it
-- makes of the symbol's position; or nil and the refusal. A `refusal` of the plans is of what would be too large, which counts after
-- all that is not exact.
-- held     the quantity of the symbol's position
-- split    returns the quantity after a split, given the one before and the one that is given, '' for none; nil for a roll
-- given    the quantities that are given by account, in JSON, '' for none
local function plan_accounts(symbol, held, split, given)
  local found, refused = accounts_in(symbol)
  if not found then return nil, refused end
  local wanted, plans, rest, made = given ~= '' and cjson.decode(given) or {}, {}, held, 0
  for i, position in ipairs(found) do
    local before = position.quantity
    local quantity = before
    if split then
      quantity = split(before, wanted[position.account] or '')
      if not quantity then return nil, { 'inexact', decimal_text(before), position.account } end
    end
    wanted[position.account] = nil
    local cost, realized = cost_after_change(position, quantity)
    local plan = { quantity = quantity, open_cost = cost, realized_profit = realized }
    plans.refusal = plans.refusal or RARE.refusal_of_plan(plan)
    plans[i] = { position = position, after = plan, before = before }
    rest, made = sum(rest, negative(before)), sum(made, quantity)
  end
  local unknown = next(wanted)
  if unknown then return nil, { 'account', unknown } end
  if not split then return plans end
  rest = split(rest, '')
  return plans, rest and sum(rest, made)
end

-- Change the positions of accounts as planned, with the totals of each set back where `close` does so; the event that was appended
-- last says of each what became of it.
local function book_accounts(plans, multiplier, ts_ns, close)
  local parts = {}
  for i, plan in ipairs(plans) do
    for name, value in pairs(plan.after) do plan.position[name] = value end
    local period = close and close(plan.position) or ''
    plan.after = {}
    local fields = RARE.change_account(plan, multiplier, ts_ns)
    parts[i] = '"' .. RARE.escaped(plan.position.account) .. '":{"position_quantity":"' .. fields[6] .. '","position_change":"'
      .. decimal_text(sum(plan.position.quantity, negative(plan.before)))
      .. (period ~= '' and '","period":"' .. RARE.escaped(period) or '') .. '","totals":"' .. RARE.escaped(totals_of(fields)) .. '"}'
  end
  local event = events[#events]
  event[#event + 1] = 'accounts'
  event[#event + 1] = '{' .. table.concat(parts, ',') .. '}'
  documents[#events] = false
end

-- Plan a change of one account's position, which changes that of its symbol by the same quantity. A cost that is set for the account
-- adds to the symbol's cost what it adds to the account's; of a symbol that is flat after that, it is realized.
-- Return the plan, the quantity, cost and profit of the symbol's position, and what was added to its cost, '' for nothing; or nil and
-- the refusal.
local function plan_account_change(position, account, quantity, given)
  local cost, realized = cost_after_change(account, quantity)
  local added = 0
  if given ~= '' then
    cost, realized = decimal(given), account.realized_profit
    added = sum(cost, negative(account.open_cost))
  end
  local plan = { quantity = quantity, open_cost = cost, realized_profit = realized }
  local total = sum(position.quantity, sum(quantity, negative(account.quantity)))
  local total_cost, total_realized = cost_after_change(position, total)
  if total ~= 0 then
    total_cost = sum(total_cost, added)
  else
    total_realized = sum(total_realized, negative(added))
  end
  local refused = RARE.refusal_of_plan(plan)
    or RARE.refusal_of_plan({ quantity = total, open_cost = total_cost, realized_profit = total_realized })
  if refused then return nil, refused end
  return { position = account, after = plan }, total, total_cost, total_realized, given ~= '' and decimal_text(added) or ''
end

-- Return the refusal of a multiplier that a symbol's position cannot be set with, nil when it can: with another one only while no
-- account holds anything in the symbol, either, or has traded since its last roll.
local function other_multiplier_refusal(position, symbol, multiplier)
  local held = RARE.multiplier_in(position.multiplier, position.key)
  if multiplier == held or problem then return problem end
  local refused = RARE.multiplier_change_refusal(position, multiplier)
  if refused then return refused end
  local found
  found, refused = accounts_in(symbol)
  if not found then return refused end
  for _, position in ipairs(found) do
    for _, name in ipairs({ 'quantity', 'open_cost', 'bought_quantity', 'sold_quantity', 'bought_notional', 'sold_notional' }) do
      if position[name] ~= 0 then return { 'multiplier', multiplier, held } end
    end
  end
end
