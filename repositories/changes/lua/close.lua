-- Of the engine: cancel, reject or expire an order; one that has the new status already is left as it is.
-- Uses changes/run

-- Return {'applied', sequence, order…}
--        {'repeat', sequence, order as it is now…, rare fields then, event…}
--        {'outdated', order…}: another request gave it the status
--        {'missing'}  {'mismatch', side, symbol}  {'duplicate'}  {'closed', status}  {'corrupt', key, field, value}
--        {'fence', lock, fence}
local function close_order(at)
  local to, id, request_id, ts_ns, text, stated = unpack(ARGV, at, at + 5)
  local order = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local contradicts = stated ~= '' and RARE.contradiction(order, stated)
  if contradicts then return contradicts end
  local entry = 'request:' .. request_id
  local recorded = recall(order, entry)
  if recorded then return RARE.repeat_of_request(order, entry, recorded, to) end
  local status, side, symbol = decisive_fields(order)
  if problem then return problem end
  if status == to then return { 'outdated', state_of(order) } end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local filled, quantity = quantity_in(order, 'filled_quantity'), ordered_in(order)
  if problem then return problem end
  if not OPEN_STATUSES[status] or (to == 'REJECTED' and filled ~= 0) then return { 'closed', status } end
  local position, version = load_open(symbol), decimal_text(next_version(order))
  local open = open_after(position, SIDES[side], sum(filled, negative(quantity)))
  if problem then return problem end
  move(order, id, plan_move(symbol, status, to))

  set(order, { 'status', to, 'version', version, 'updated_ns', ts_ns })
  set_or_clear(order, 'text', text)
  position[SIDES[side]], position.is_changed = open, true
  local quantity_after, limit, filled_text = decimal_text(quantity), value_of(order, 'price') or '', decimal_text(filled)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', to, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
    'status', to, 'quantity', quantity_after, 'price', limit,
    'filled_quantity', filled_text, 'request_id', request_id, 'text', text,
    'totals', version .. ' ' .. (value_of(order, 'filled_notional') or ''),
  }, '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"' .. id .. '","side":"' .. side
    .. '","status":"' .. to .. '","quantity":"' .. quantity_after .. json_part('price', limit) .. '","filled_quantity":"'
    .. filled_text .. '","request_id":"' .. request_id .. json_part('text', text), symbol .. id .. request_id .. text)
  remember(order, entry, number .. ' ' .. to)
  return { 'applied', number, state_of(order) }
end
