-- Of the engine: cancel, reject, expire or calculate an order; one that has the new status already is left as it is. What was
-- pending is answered by that.
-- Uses changes/run, changes/remembered, changes/aliases, changes/order_status

-- Return {'applied', sequence, order…}
--        {'repeat', sequence, order as it is now…, rare fields then, event…}
--        {'outdated', order…}: another request gave it the status
--        {'missing'}  {'mismatch', side, symbol}  {'duplicate'}  {'closed', status}  {'corrupt', key, field, value}
--        {'ambiguous', id, order_id that has it}  {'fence', lock, fence}
local function close_order(at)
  local to, id, request_id, ts_ns, text, stated, digest, client_id, reason, venue_id = unpack(ARGV, at, at + 9)
  local order
  order, id = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local contradicts = stated ~= '' and RARE.contradiction(order, stated)
  if contradicts then return contradicts end
  local entry, content = 'request:' .. request_id, digest == '' and to or to .. ' ' .. digest
  local recorded = recall(order, entry, digest == '' and text == '')
  if recorded then return RARE.repeat_of_request(order, entry, recorded, content) end
  local status, side, symbol = decisive_fields(order)
  if problem then return problem end
  if status == to then return { 'outdated', state_of(order) } end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local filled, quantity = quantity_in(order, 'filled_quantity'), ordered_in(order)
  if problem then return problem end
  local calculates = to == 'CALCULATED'
  if not OPEN_STATUSES[status] and not (calculates and status == 'FILLED') or to == 'REJECTED' and is_less(0, filled) then
    return { 'closed', status }
  end
  if not calculates and not is_less(filled, quantity) then return { 'closed', 'FILLED' } end
  local clashes = (client_id ~= '' or venue_id ~= '') and RARE.clash_of(id, client_id, venue_id)
  if clashes then return clashes end
  local position, version = load_open(symbol), decimal_text(next_version(order))
  local open = open_after(position, SIDES[side], negative(open_rest(order, status, filled, quantity)))
  if problem then return problem end
  move(order, id, plan_move(symbol, status, to))

  set(order, { 'status', to, 'version', version, 'updated_ns', ts_ns })
  set_or_clear(order, 'text', text)
  if venue_id ~= '' then set(order, { 'venue_order_id', venue_id }) end
  if order.at.marks then set_or_clear(order, 'marks', '') end
  if order.at.pending then set_or_clear(order, 'pending', '') end
  position[SIDES[side]], position.is_changed = open, true
  local quantity_after, limit, filled_text = decimal_text(quantity), value_of(order, 'price') or '', decimal_text(filled)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', to, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
    'status', to, 'quantity', quantity_after, 'price', limit,
    'filled_quantity', filled_text, 'request_id', request_id, 'text', text,
    'client_order_id', client_id, 'venue_order_id', venue_id, 'reason', reason,
    'totals', version .. ' ' .. (value_of(order, 'filled_notional') or ''),
  }, digest == '' and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"' .. id .. '","side":"' .. side
    .. '","status":"' .. to .. '","quantity":"' .. quantity_after .. json_part('price', limit) .. '","filled_quantity":"'
    .. filled_text .. '","request_id":"' .. request_id ..
    json_part('text', text), symbol .. id .. request_id .. text)
  if client_id ~= '' or venue_id ~= '' then RARE.take_ids(order, id, number, client_id, venue_id) end
  remember(order, entry, number .. ' ' .. content)
  return { 'applied', number, state_of(order) }
end
