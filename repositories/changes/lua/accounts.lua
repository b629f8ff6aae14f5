-- Of the engine: the positions of accounts. What an order that names an account trades is booked into the position of its symbol, and
-- by the same rules into that of the account in the symbol. What is open of orders is counted in the first alone.
-- Uses changes/run, changes/cost, changes/fees, changes/totals

-- Return the position of an account in a symbol as it is by now, which is flat while there is none.
local function load_account(account, symbol)
  local name = string.gsub(account, '[%%:]', { ['%'] = '%25', [':'] = '%3A' }) .. ':' .. symbol
  local key = base .. 'account_position:' .. name
  if positions[key] then return positions[key] end
  local record = read_record(key)
  if #record.flat > 0 then set(record, { 'open_buy_quantity', '0', 'open_sell_quantity', '0' }) end
  local position = read_position(key, symbol, record, base .. 'account_positions')
  position.account, position.listed_as = account, name
  if not problem then positions[key] = position end
  return position
end

-- Return the position of the account that a new order names, nil for none, given the fields of what was ordered in JSON. Placing the
-- order makes it: a fill finds it by its order, and does not declare its key.
local function account_of_new(terms, symbol)
  local account = cjson.decode(terms).account
  return account and load_account(account, symbol) or nil
end

-- Return the refusal of a plan with a value that has too many digits, nil when it has none.
local function refusal_of_plan(after)
  for name, value in pairs(after) do
    local digits = name == 'quantity' and QUANTITY_DIGITS
      or (name == 'bought_quantity' or name == 'sold_quantity') and TOTAL_DIGITS or AMOUNT_DIGITS
    if is_too_large(value, digits) then return { 'overflow', name } end
  end
end

-- Plan what an execution makes of the position of its order's account; return nil and the refusal when it cannot be.
-- moved                the quantity that it moves the position by, on its side
-- difference, amount   what it adds to the quantity and the amount that were traded on its side
-- before, after        the details that it takes back and those that it adds, nil for none
-- cost_of              returns the open cost and the realized profit that it leaves of a position
local function plan_execution(order, symbol, counted, moved, difference, amount, before, after, cost_of)
  local position = load_account(value_of(order, 'account'), symbol)
  if problem then return nil, problem end
  if position.is_new and not position.is_changed then return nil, { 'corrupt', position.key, 'quantity', '' } end
  local buys = counted == 'BUY'
  local traded, paid = buys and 'bought_quantity' or 'sold_quantity', buys and 'bought_notional' or 'sold_notional'
  local cost, realized = cost_of(position)
  if not cost then return nil, realized end
  local plan = {
    quantity = sum(position.quantity, buys and moved or negative(moved)), [traded] = sum(position[traded], difference),
    [paid] = sum(position[paid], amount), open_cost = cost, realized_profit = realized,
  }
  local refused = refusal_of_plan(plan)
  if refused then return nil, refused end
  plan.fees = position.fees
  if before or after then
    plan.fees = RARE.charged(position.fees, before, after)
    if not plan.fees then return nil, { 'overflow', 'fees' } end
  end
  return { position = position, after = plan }
end

-- Plan what a fill makes of the position of its order's account; its details are nil for none.
local function plan_fill(order, symbol, counted, arrives, quantity, notional, details)
  return plan_execution(order, symbol, counted, arrives, quantity, notional, nil, details,
    function(position) return cost_after_trade(position, counted == 'BUY', arrives, notional) end)
end

-- Give a position of an account what was planned, and the multiplier that the position of its symbol has by now; return its fields
-- and values.
local function change_account(plan, multiplier, ts_ns)
  local position = plan.position
  for name, value in pairs(plan.after) do position[name] = value end
  position.has_lost_multiplier = position.multiplier and not multiplier
  position.multiplier = multiplier
  position.version, position.updated_ns, position.is_changed = sum(position.version, 1), ts_ns, true
  return fields_of(position)
end

-- Book what was planned for an account; the event that was appended last says so, with more fields and values where there are some.
-- Return the fields and values of its position as text.
local function book_account(plan, multiplier, ts_ns, more)
  local fields, event = change_account(plan, multiplier, ts_ns), events[#events]
  local said = { 'account', plan.position.account, 'account_quantity', fields[6], 'account_totals', totals_of(fields) }
  for _, word in ipairs(more or {}) do said[#said + 1] = word end
  for _, word in ipairs(said) do event[#event + 1] = word end
  documents[#events] = false
  return table.concat(fields, '\n')
end

-- Return the position of an order's account as text, nil for an order without one.
local function account_text(order, symbol)
  if not order.at.account then return nil end
  return table.concat(fields_of(load_account(value_of(order, 'account'), symbol)), '\n')
end
