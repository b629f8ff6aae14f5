-- Of the engine: place an order, unless it is stored already.
-- Uses changes/run, changes/own_orders, changes/limits, changes/multiplier, changes/accounts, changes/new_order, changes/within_limits

-- Return the answer to placing an order whose id is one of an order that is stored already, nil when there is none.
local function answer_to_placed(id, digest)
  local stored, known_as = load_order(id)
  if #stored.flat == 0 then return nil end
  if known_as ~= id then return { 'taken', known_as } end
  return { value_of(stored, 'digest') == digest and 'repeat' or 'duplicate', state_of(stored) }
end

-- Add own fields to a new order, given the names of those that have an index, and all in JSON.
local function add_own(order, names, json)
  add_own_fields(order.flat, names, json)
  order.at = places_of(order.flat)
  indexes_of_own(order) -- reads them, while the step can still be refused
end

-- Return {'applied', sequence}
--        {'repeat', order…}: placed before with the same content
--        {'duplicate', order…}: placed before with other content
--        {'taken', order_id}: the id is another id of that order
--        {'multiplier', of the order, of its position}
--        {'beyond', limit…}  {'halted', switch}: see limit_refusal
--        {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function place_order(at)
  local id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest, reference, terms, status, own =
    unpack(ARGV, at, at + 14)
  local key = base .. 'order:' .. id
  local own_digest, own_names, own_json
  if own ~= '' then
    own_digest, own_names, own_json = RARE.own_parts(own)
    digest = digest .. own_digest
  end
  local known = (orders[id] or aliases or redis.call('EXISTS', key, base .. 'alias:' .. id) > 0)
    and RARE.answer_to_placed(id, digest)
  if known then return known end
  local refused = is_barred and RARE.bar('order_id', id)
  if refused then return refused end
  local position = load_open(symbol)
  if problem then return problem end
  local multiplier, unlike
  if terms ~= '' or position.multiplier then multiplier, unlike = RARE.multiplier_of_new(position, terms) end
  if unlike then return unlike end
  local account = terms ~= '' and RARE.account_of_new(terms, symbol)
  if problem then return problem end
  local counted = SIDES[side]
  local amount = decimal(quantity)
  local open = sum(position[counted], amount)
  if type(open) ~= 'number' and RARE.is_too_large(open, TOTAL_DIGITS) then return { 'overflow', OPEN_QUANTITY[counted] } end
  local by_symbol, by_status = load_index('orders_by_symbol:' .. symbol), load_index('orders_by_status:' .. status)
  local within, passed
  if is_limited then
    local basis = price ~= '' and price or reference ~= '' and reference or stop_price
    if multiplier then basis = RARE.price_of_unit(basis, multiplier) end
    if has_limits and not trading then
      within, passed = limits_when_within(has_limits, position.limits, position.quantity, counted, open, amount, basis)
    end
    local beyond = not within
      and RARE.recorded_limit_refusal(position, symbol, side, open, { quantity = amount, price = basis }, {
        'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side, 'quantity', quantity, 'price', price, 'text', text,
      })
    if beyond then return beyond end
  end

  local flat = fields_of_new(id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest, reference,
    status)
  if terms ~= '' then RARE.add_terms(flat, terms) end
  local order = { key = key, flat = flat, is_new = true, memory = base .. 'applied:' .. id }
  if own_names then RARE.add_own(order, own_names, own_json) end
  orders[id] = order
  if own_names then RARE.enter_own(order, id, 'inf') end
  enter_index(by_symbol, id, 'inf') -- an open order never expires
  enter_index(by_status, id, 'inf')
  order.expiry = 'inf'
  if multiplier then position.multiplier = multiplier end
  position[counted], position.is_changed = open, true
  if account and account.is_new then account.is_changed = true end
  if within then
    has_limits = within
    if passed then position.limits, position.counted = passed, passed end
  elseif has_limits then
    RARE.count_passed(position, symbol)
  end
  local event, document = event_of_new(id, symbol, side, quantity, price, text, ts_ns, status)
  if terms ~= '' then event[#event + 1], event[#event + 2] = 'terms', terms end
  return { 'applied', append(event, document, terms, own_json) }
end
