-- Of the engine: change an order's quantity or prices, once, as asked or as the venue restates it. A quantity below what is
-- filled asks for the rest to be canceled; one above it opens a filled order again.
-- Uses changes/run, changes/remembered, changes/aliases, changes/order_status, changes/limits, changes/multiplier

-- Return {'applied', sequence, order…}
--        {'repeat', sequence, order as it is now…, rare fields then, event…}
--        {'outdated', order…}: a later revision has been applied
--        {'missing'}  {'mismatch', side, symbol}  {'duplicate'}  {'closed', status}
--        {'beyond', limit…}  {'halted', switch}: see limit_refusal
--        {'ambiguous', id, order_id that has it}
--        {'several'}: it is not said which of several requests it answers
--        {'type', order type, field}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function replace_order(at)
  local verb, id, request_id, quantity_text, price, stop_price, revision, ts_ns, text, stated, digest, client_id, original_id,
    reason, venue_id = unpack(ARGV, at, at + 14)
  local order
  order, id = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local contradicts = stated ~= '' and RARE.contradiction(order, stated)
  if contradicts then return contradicts end
  local entry = 'request:' .. request_id
  local content = table.concat({ verb, quantity_text, price, stop_price, revision }, ' ')
  if digest ~= '' then content = content .. ' ' .. digest end
  local recorded = recall(order, entry)
  if recorded then return RARE.repeat_of_request(order, entry, recorded, content) end
  if revision ~= '' and order.at.revision and not is_less(count_in(order, 'revision'), decimal(revision)) then
    return problem or { 'outdated', state_of(order) }
  end
  local refused = is_barred and RARE.bar('request_id', request_id)
  if refused then return refused end
  local status, side, symbol = decisive_fields(order)
  if problem then return problem end
  local restates = verb == 'RESTATED'
  if not OPEN_STATUSES[status] and status ~= 'FILLED' and not (restates and status == 'CALCULATED') then
    return { 'closed', status }
  end
  local kind = value_of(order, 'type') or ''
  if price ~= '' and not order.at.price and not TAKE_PRICE[kind] then return { 'type', kind, 'price' } end
  if stop_price ~= '' and not order.at.stop_price and not TAKE_STOP_PRICE[kind] then return { 'type', kind, 'stop_price' } end

  local filled, was = quantity_in(order, 'filled_quantity'), ordered_in(order)
  local quantity = quantity_text == '' and was or decimal(quantity_text)
  if problem then return problem end
  if status == 'FILLED' and not is_less(filled, quantity) then return { 'closed', status } end
  local asked = quantity_text
  if is_less(quantity, filled) then
    if asked == '' then asked = decimal_text(was) end -- more was filled than was ordered
    quantity = filled
  end
  local clashes = (client_id ~= '' or venue_id ~= '') and RARE.clash_of(id, client_id, venue_id)
  if clashes then return clashes end
  local marks, list = value_of(order, 'marks') or '', pending_of(order)
  if restates then
    marks = without_mark(without_mark(marks, 'DONE_FOR_DAY'), 'SUSPENDED')
  else
    marks = without_mark(marks, 'PENDING_NEW')
    local unclear = answer_pending(list, client_id, 'PENDING_REPLACE')
    if unclear then return unclear end
  end
  local pending = pending_text(list)
  local to = status_by(marks, pending, filled, quantity)
  local position, version = load_open(symbol), decimal_text(next_version(order))
  local difference = sum(open_by(order, marks, to, filled, quantity), negative(open_rest(order, status, filled, was)))
  local open = open_after(position, SIDES[side], difference)
  if problem then return problem end
  if is_too_large(open, TOTAL_DIGITS) then return { 'overflow', OPEN_QUANTITY[SIDES[side]] } end
  local within, passed
  if is_limited and not restates then
    local now = order.flat
    local function basis(limit, trigger)
      local price = limit or now[order.at.reference_price] or trigger or ''
      return order.at.multiplier and RARE.price_of_unit(price, value_of(order, 'multiplier')) or price
    end
    local was_price, was_stop = now[order.at.price], now[order.at.stop_price]
    local value = basis(price ~= '' and price or was_price, stop_price ~= '' and stop_price or was_stop)
    if has_limits and not trading then
      within, passed = RARE.limits_when_within(has_limits, position.limits, position.quantity, SIDES[side], open, quantity, value)
    end
    local beyond = not within and RARE.recorded_limit_refusal(position, symbol, side, open, {
      quantity = quantity, price = value, was = was, was_price = basis(was_price, was_stop),
    }, {
      'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side, 'quantity', decimal_text(quantity),
      'price', price ~= '' and price or was_price or '', 'request_id', request_id, 'text', text,
      'client_order_id', client_id, 'original_client_order_id', original_id,
    })
    if beyond then return beyond end
  end
  move(order, id, plan_move(symbol, status, to))

  if not order.at.placed_quantity then
    set(order, { 'placed_quantity', decimal_text(was) })
    if order.at.price then set(order, { 'placed_price', value_of(order, 'price') }) end
    if order.at.stop_price then set(order, { 'placed_stop_price', value_of(order, 'stop_price') }) end
  end
  set(order, { 'status', to, 'quantity', decimal_text(quantity), 'version', version, 'updated_ns', ts_ns })
  if price ~= '' then set(order, { 'price', price }) end
  if stop_price ~= '' then set(order, { 'stop_price', stop_price }) end
  if revision ~= '' then set(order, { 'revision', revision }) end
  set_or_clear(order, 'text', text)
  set_or_clear(order, 'marks', marks)
  set_or_clear(order, 'pending', pending)
  if client_id ~= '' then set(order, { 'client_order_id', client_id }) end
  if venue_id ~= '' then set(order, { 'venue_order_id', venue_id }) end
  position[SIDES[side]], position.is_changed = open, true
  if within then
    has_limits = within
    if passed then position.limits, position.counted = passed, passed end
  elseif has_limits and not restates then -- what the venue says is no order of the trader's
    RARE.count_passed(position, symbol)
  end
  local quantity_after, limit, filled_text = decimal_text(quantity), value_of(order, 'price') or '', decimal_text(filled)
  local requested = asked ~= quantity_after and asked or ''
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', verb, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id,
    'side', side, 'status', to, 'quantity', quantity_after, 'price', limit,
    'filled_quantity', filled_text, 'request_id', request_id, 'text', text,
    'requested_quantity', requested, 'client_order_id', client_id, 'original_client_order_id', original_id,
    'venue_order_id', venue_id, 'reason', reason,
    'open_quantity', stated_open(order, to, filled, quantity),
    'totals', version .. ' ' .. (value_of(order, 'filled_notional') or ''),
  }, digest == '' and marks == '' and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"' .. id .. '","side":"' .. side
    .. '","status":"' .. to .. '","quantity":"' .. quantity_after .. json_part('price', limit) .. '","filled_quantity":"'
    .. filled_text .. '","request_id":"' .. request_id .. json_part('text', text)
    .. json_part('requested_quantity', requested), symbol .. id .. request_id .. text)
  if client_id ~= '' or venue_id ~= '' then RARE.take_ids(order, id, number, client_id, venue_id) end
  remember(order, entry, number .. ' ' .. content)
  return { 'applied', number, state_of(order) }
end
