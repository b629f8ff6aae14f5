-- Of the engine: one run of the engine: what its steps read, each once, and what they will write. Nothing is written before every
-- step is decided, and a step sees what those before it have changed.
-- Uses changes/records, changes/fees, changes/expiring_index, changes/lifetimes, changes/fence, changes/header,
--      changes/order_status, changes/account_fields, changes/recorded_refusal, changes/open_quantities

local STATUSES = CONSTANTS.STATUS_NAMES
local SIDES = CONSTANTS.SIDES -- for each side of an order the one on which a position counts it, BUY or SELL
local OPEN_QUANTITY = { BUY = 'open_buy_quantity', SELL = 'open_sell_quantity' } -- what is open of a trader's orders

local base = string.sub(KEYS.book, 1, -5) -- what the trader's keys begin with

local began, events, documents -- the number of the last event before the run, and those that it will append, with their JSON
local orders, positions, indexes -- records by order id and by symbol, and indexes by key
local requests -- what is remembered of changes of positions: texts by key; nil when nothing is
local deleted -- keys to remove; nil when there are none
local limits -- of the trader and of symbols; nil when none was looked at
local own -- records of the desk's own by key, and their unique values; nil when none was read
local aliases -- other ids of orders than their own, by id; nil when none was read

local had_trading, had_limits -- what the header says before the run of the switch, nil while it is at ACTIVE, and of limits
local trading, has_limits -- the same as it is by now; what is said of limits also counts orders
local turned_to -- where the run has turned the switch; nil when it has not
local is_limited -- true when the switch or a limit may refuse an order
local is_barred -- true when a step that is no repeat may have to be refused
local has_run -- whether this call has run before; nil until that is known

-- Return the reply that says why a step that is no repeat must not be made, nil when it may be made. A call of several steps
-- that has run before, but whose reply was lost, has refused this one then: what came after it may be what would allow it.
-- Of a step that limits may refuse, `name` and `value` are the field by which the event of its refusal is known.
local function bar(name, value)
  if has_run == nil and ARGV.earlier ~= '' then has_run = has_event_of(KEYS.events, ARGV.writer, ARGV.earlier) end
  if has_run then return name and ARGV.record_refusals ~= '' and recorded_refusal(name, value) or { 'ran' } end
  return ARGV.fence ~= '' and fence_refusal(KEYS.lock, ARGV.fence) or nil
end

-- Begin a run after the event of a number.
local function begin(last)
  began, events, documents, orders, positions, indexes = last, {}, {}, {}, {}, {}
  requests, deleted, own, limits, aliases = nil, nil, nil, nil, nil
  trading, has_limits, is_limited, turned_to = had_trading, had_limits, had_trading or had_limits, nil
end

-- Return an order as it is by now, by its own id; its `flat` is empty when there is none. With it goes the key of the hash that
-- remembers what was applied to it.
local function order_of_id(id)
  local order = orders[id]
  if not order then
    order = read_record(base .. 'order:' .. id)
    order.memory = base .. 'applied:' .. id
    orders[id] = order
  elseif not order.at then -- placed in this run
    order.at = places_of(order.flat)
  end
  return order
end

-- Return the entry of another id of an order, as it is by now: its `order_id` is nil while it is no order's.
local function load_alias(id)
  aliases = aliases or {}
  local alias = aliases[id]
  if not alias then
    local key = base .. 'alias:' .. id
    alias = { key = key, order_id = redis.call('GET', key) or nil }
    aliases[id] = alias
  end
  return alias
end

-- Return the order that has an id beside its own, and its own id; or the empty record of that id, and the id. Its keys are not
-- declared: while its slot moves key by key, what is not here is elsewhere, and the call is to be tried again.
local function order_of_alias(none, id)
  local named = load_alias(id).order_id
  if not named then return none, id end
  local order = order_of_id(named)
  local is_here = #order.flat > 0 and (value_of(order, 'version') == '1' or redis.call('HLEN', order.memory) > 0)
  if not is_here and not (order.is_new or order.changes) then
    error({ err = 'TRYAGAIN ' .. id .. ' is an id of order ' .. named .. ', which is not here' }, 0)
  end
  asked = id
  return order, named
end

-- Return an order as it is by now, by any of its ids, and its own id; its `flat` is empty when there is none.
local function load_order(id)
  local order = order_of_id(id)
  if #order.flat == 0 then return RARE.order_of_alias(order, id) end
  return order, id
end

-- Read the fields of a position as decimals, and note a problem with one that cannot be used. It does not exist yet when it
-- has no fields at all, and is flat then. The record, and the set that lists it, may be given.
local function read_position(key, symbol, record, list)
  record = record or read_record(key)
  if #record.flat == 0 then
    redis.call('SCARD', list or KEYS.positions)
    return {
      key = key, symbol = symbol, is_new = true, quantity = 0, bought_quantity = 0, sold_quantity = 0, bought_notional = 0,
      sold_notional = 0, open_cost = 0, realized_profit = 0, version = 0, BUY = 0, SELL = 0,
    }
  end
  next_version(record)
  return {
    key = key, symbol = symbol, quantity = signed_in(record, 'quantity'), version = count_in(record, 'version'),
    bought_quantity = traded_in(record, 'bought_quantity'), sold_quantity = traded_in(record, 'sold_quantity'),
    bought_notional = amount_in(record, 'bought_notional'), sold_notional = amount_in(record, 'sold_notional'),
    open_cost = amount_in(record, 'open_cost'), realized_profit = amount_in(record, 'realized_profit'),
    updated_ns = value_of(record, 'updated_ns'), BUY = total_in(record, 'open_buy_quantity'),
    SELL = total_in(record, 'open_sell_quantity'), multiplier = value_of(record, 'multiplier'),
    approximated = value_of(record, 'approximated'), limits = value_of(record, 'limits'),
    fees = record.at.fees and RARE.fees_in(record),
  }
end

-- Return a position as it is by now: its fields as decimals, and what is open of the trader's orders in the symbol under BUY
-- and SELL. One that cannot be used is read anew by the next step that needs it.
local function load_position(symbol)
  local position = positions[symbol]
  if position and not position.is_part then return position end
  local whole = read_position(base .. 'position:' .. symbol, symbol)
  if position then
    whole.BUY, whole.SELL, whole.is_changed = position.BUY, position.SELL, position.is_changed
    if position.counted then whole.limits, whole.counted = position.limits, position.counted end
  end
  if not problem then positions[symbol] = whole end
  return whole
end

-- Return a position whose open quantities are not two whole numbers of few digits; see load_open.
local function load_odd_open(key, symbol, buy, sell, multiplier)
  if not buy or not sell then return load_position(symbol) end
  local record = { key = key, flat = { buy, sell }, at = { open_buy_quantity = 1, open_sell_quantity = 2 } }
  local position = {
    key = key, is_part = true, BUY = total_in(record, 'open_buy_quantity'), SELL = total_in(record, 'open_sell_quantity'),
    multiplier = multiplier,
  }
  if not problem then positions[symbol] = position end
  return position
end

-- Return a position as it is by now, of which only BUY, SELL and the multiplier are needed; and what limits need, as far as the
-- size of the header's text says that they do: the symbol's own, and the quantity, where that is a number of few digits.
local function load_open(symbol)
  local position = positions[symbol]
  if position then return position end
  local key = base .. 'position:' .. symbol
  local buy, sell, multiplier, quantity, own = read_open(key, has_limits)
  if not buy or not sell or not string.find(buy .. ' ' .. sell, '^%d+ %d+$') or #buy > 15 or #sell > 15 then
    return RARE.load_odd_open(key, symbol, buy, sell, multiplier or nil)
  end
  position = {
    key = key, is_part = true, BUY = buy + 0, SELL = sell + 0, multiplier = multiplier or nil, limits = own,
    quantity = short_quantity(quantity),
  }
  positions[symbol] = position
  return position
end

-- Return what is open of a position's orders on one side after a change. Note a problem when that cannot be: a trader with an
-- order in a symbol has a position there, in which the order's quantity is counted.
local function open_after(position, side, difference)
  local open = sum(position[side], difference)
  if is_less(open, 0) or (position.is_new and not position.is_changed) then
    problem = problem or { 'corrupt', position.key, OPEN_QUANTITY[side], decimal_text(position[side]) }
  end
  return open
end

-- Return the fields and values of a position.
local function fields_of(position)
  local fields = {
    'trader', ARGV.trader, 'symbol', position.symbol, 'quantity', decimal_text(position.quantity),
    'bought_quantity', decimal_text(position.bought_quantity), 'sold_quantity', decimal_text(position.sold_quantity),
    'bought_notional', decimal_text(position.bought_notional), 'sold_notional', decimal_text(position.sold_notional),
    'version', decimal_text(position.version), 'open_cost', decimal_text(position.open_cost),
    'realized_profit', decimal_text(position.realized_profit), 'open_buy_quantity', decimal_text(position.BUY),
    'open_sell_quantity', decimal_text(position.SELL),
  }
  if position.updated_ns then fields[25], fields[26] = 'updated_ns', position.updated_ns end
  if position.fees then RARE.add_fees(fields, position.fees) end
  if position.multiplier then fields[#fields + 1], fields[#fields + 2] = 'multiplier', position.multiplier end
  if position.approximated then
    fields[#fields + 1], fields[#fields + 2] = 'approximated', position.approximated
  end
  return position.account and RARE.as_account(fields, position.account) or fields
end

-- Return an index as it is before the run.
local function load_index(name)
  local key = base .. name
  local index = indexes[key] or read_index(key)
  indexes[key] = index
  return index
end

-- Return when an order with a status expires, and the indexes that it enters and leaves: of its symbol, of its status, and of
-- the one before. An index that need not be written is nil. Every one that will be is read here, while the step can still be
-- refused. Open orders never expire, and one that is opened again stays, in all its indexes.
local function plan_move(symbol, from, to)
  local closed = not OPEN_STATUSES[to]
  return closed and RARE.expiry_after(ARGV.closed_ttl) or 'inf',
    (closed or not from or not OPEN_STATUSES[from]) and load_index('orders_by_symbol:' .. symbol) or nil,
    (closed or from ~= to) and load_index('orders_by_status:' .. to) or nil,
    from and from ~= to and load_index('orders_by_status:' .. from) or nil
end

-- Move an order as planned. The indexes of its own fields, in which it stays until it is removed, get its expiry.
local function move(order, id, expiry, by_symbol, entered, left)
  if by_symbol and order.at and order.at[OWN_NAMES] then RARE.enter_own(order, id, expiry) end
  if by_symbol and order.at and order.at.aliases then RARE.load_chain(order, id) end
  if by_symbol then
    enter_index(by_symbol, id, expiry)
    order.expiry = expiry
  end
  if entered then enter_index(entered, id, expiry) end
  if left then leave_index(left, id) end
end

-- Return a field as a part of a JSON document; '' when it has no value.
local function json_part(name, value)
  if value == '' then return '' end
  return '","' .. name .. '":"' .. value
end

-- Append an event, and return its number as text.
-- entry      fields and values, first the writer's, by which a loss is noticed, its type and its time; those that are '' are left out
-- document   the fields in JSON, from the time on, as they are when no value needs an escape
-- names      the names and texts among the values, which may need one
-- own        the own fields of an order or a fill in JSON; nil for none
-- details    what a report of an execution says beside quantity and price in JSON; nil or '' for nothing
local function append(entry, document, names, own, details)
  local size = 4
  for i = 6, #entry, 2 do
    if entry[i] ~= '' then
      size = size + 2
      if size < i then entry[size - 1], entry[size] = entry[i - 1], entry[i] end
    end
  end
  for i = #entry, size + 1, -1 do entry[i] = nil end
  if own and own ~= '' then
    entry[size + 1], entry[size + 2], document = 'own', own, false
  end
  if details and details ~= '' then
    size = #entry
    entry[size + 1], entry[size + 2], document = 'details', details, false
  end
  local number = #events + 1
  local escape = string.find(names, '"', 1, true) or string.find(names, '\\', 1, true)
  events[number], documents[number] = entry, not escape and document
  return integer_text(began + number)
end

-- Return the fields and values of the event of a number; an empty list when it is no longer kept.
local function event_of(number)
  if number + 0 > began then return events[number - began] or {} end
  local event = redis.call('XRANGE', KEYS.events, number .. '-0', number .. '-0')[1]
  return event and event[2] or {}
end

-- Return the quantity of an order, which is never zero; note a problem when it is not one.
local function ordered_in(order)
  local quantity = quantity_in(order, 'quantity')
  if quantity == 0 then RARE.note_problem(order, 'quantity') end
  return quantity
end

-- Note a problem with what is no status.
local function check_status(order, status)
  if not STATUSES[status] then note_problem(order, 'status') end
end

-- Return an order's status, side and symbol, by which a step decides; note a problem with one that cannot be used. Its price
-- is looked at too, for it goes into the event, and so are the other statuses that hold, where there are some.
local function decisive_fields(order)
  local flat, at = order.flat, order.at
  local status, side, symbol, price = flat[at.status], flat[at.side], flat[at.symbol], flat[at.price]
  if not OPEN_STATUSES[status] and status ~= 'FILLED' then RARE.check_status(order, status) end
  if not SIDES[side] then RARE.note_problem(order, 'side') end
  if not symbol then RARE.note_problem(order, 'symbol') end
  if price and not string.find(price, '^%-?%d+%.?%d*$') then RARE.note_problem(order, 'price') end
  if at.marks or at.pending then RARE.check_states(order) end
  return status, side, symbol
end

-- Return the refusal of a request that says another side or symbol than its order has, nil when it says none. `stated` has the
-- side and the symbol with a blank between them, either of which may be left out.
local function contradiction(order, stated)
  local _, side, symbol = decisive_fields(order)
  if problem then return problem end
  local stated_side, stated_symbol = string.match(stated, '^(%S*) (.*)$')
  if (stated_side == '' or stated_side == side) and (stated_symbol == '' or stated_symbol == symbol) then return nil end
  return { 'mismatch', side, symbol }
end
