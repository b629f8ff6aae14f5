-- Of the engine: apply one execution to its order and its position, once.
-- Uses changes/run, changes/remembered, changes/cost, changes/order_status, changes/details, changes/multiplier, changes/accounts, changes/new_order, changes/totals

local FLAGS = { [''] = '0', [' late'] = '1', [' over'] = '0 over', [' late over'] = '1 over' } -- as they are answered

-- Flag the event of a fill that went past the quantity of its order.
local function flag_overfilled()
  local event = events[#events]
  event[#event + 1] = 'overfilled'
  event[#event + 1] = '1'
  documents[#events] = false
end

-- Return the answer to a fill that is remembered.
local function answer_to_filled(order, position, entry, recorded, quantity_text, price, own, details, ts_ns)
  local number, content, rare = parts_of(recorded)
  local first_own = string.match(content or '', ' %+(%S+)$') or ''
  if first_own ~= '' then content = string.sub(content, 1, -#first_own - 3) end
  local quantity, first_price, flags = string.match(content or '', '^(%S+) (%S+)(.*)$')
  local late = FLAGS[flags]
  if not late and string.find(content or '', '^%S+ %S+ [bc][uo]') then return { 'duplicate', content, '' } end -- a bust or a correction
  if not late then return { 'corrupt', order.at[entry] and order.key or order.memory, entry, recorded } end
  if quantity ~= quantity_text or first_price ~= price or first_own ~= own_parts(own .. '||') then
    return { 'duplicate', quantity, first_price }
  end
  if problem then return problem end
  local completed = details ~= '' and complete_execution(order, position, string.sub(entry, 6), number, details, ts_ns)
  if completed and completed.refused then return completed.refused end
  if completed then number, rare = completed.number, completed.rare end
  local held = table.concat(fields_of(position), '\n')
  local account = RARE.account_text(order, position.symbol)
  if problem then return problem end
  if completed and completed.is_applied then return { 'applied', number, late, state_of(order), held, account } end
  return { 'repeat', number, late, state_of(order), held, rare, account or '', event_of(number) }
end

-- The details of the step have a ! before them when what goes past the quantity of the order is recorded; else it is refused.
-- Return {'applied', sequence, flags, order…, position…, account…}: '0', or '1' for a late one, and ' over' for one past the
--         quantity; the position of the order's account is nil, or '' for a repeat, where it has none
--        {'repeat', sequence, flags, order as it is now…, position as it is now…, rare fields then, account as it is now…, event…}
--        {'missing'}  {'mismatch', side, symbol}  {'ambiguous', id, order_id that has it}  {'duplicate', quantity, price}  {'detail', name, value}
--        {'overfill', open quantity, status}
--        {'multiplier', of the order, of its position}  {'sells', side}: no fee is taken from what is sold
--        {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function fill_order(at)
  local id, exec_id, quantity_text, price, notional, ts_ns, stated, details, own = unpack(ARGV, at, at + 8)
  local order
  order, id = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local records
  if details ~= '' then records, details = string.match(details, '^(!?)(.*)$') end
  local contradicts, venue_id
  if stated ~= '' then contradicts, venue_id = RARE.contradicted_by(order, id, stated) end
  if contradicts then return contradicts end
  local entry = 'fill:' .. exec_id
  local recorded = recall(order, entry, details == '' and own == '' and not venue_id and #quantity_text + #price < 25)
  local flat, at = order.flat, order.at
  local status, side, symbol = decisive_fields(order)
  if problem then return problem end
  local position = load_position(symbol)
  if position.is_new and not position.is_changed then return { 'corrupt', position.key, 'quantity', '' } end
  if recorded then return RARE.answer_to_filled(order, position, entry, recorded, quantity_text, price, own, details, ts_ns) end
  local refused = is_barred and RARE.bar()
  if refused then return refused end

  local counted = SIDES[side]
  local buys = counted == 'BUY'
  local traded, amount = buys and 'bought_quantity' or 'sold_quantity', buys and 'bought_notional' or 'sold_notional'
  local quantity, filled = decimal(quantity_text), quantity_in(order, 'filled_quantity')
  local open = sum(ordered_in(order), negative(filled))
  if problem then return problem end
  if at.multiplier or position.multiplier then
    local unlike
    notional, unlike = RARE.amount_of_order(order, position, decimal(notional))
    if unlike then return unlike end
    notional = decimal_text(notional)
  end
  local is_over = is_less(open, quantity)
  if is_over and records ~= '!' then return { 'overfill', is_less(open, 0) and '0' or decimal_text(open), status } end
  if is_over and is_too_large(sum(filled, quantity), QUANTITY_DIGITS) then return { 'overflow', 'filled_quantity' } end
  local version = next_version(order)
  local given, arrives = nil, quantity
  if details ~= '' then
    given = RARE.details_in(details)
    arrives = RARE.arriving(quantity, given, buys)
    if not arrives then return { 'sells', side } end
  end
  local held = sum(position.quantity, buys and arrives or negative(quantity))
  local traded_after = sum(position[traded], quantity)
  local paid_before = amount_in(order, 'filled_notional')
  local order_notional = sum(paid_before, decimal(notional))
  local position_notional = sum(position[amount], decimal(notional))
  local is_late = not OPEN_STATUSES[status] and status ~= 'FILLED'
  local is_marked = at.marks or at.pending
  local left = is_late and 0 or negative(quantity)
  if is_marked or is_over then
    local rest = is_late and 0 or RARE.open_rest(order, status, filled, sum(filled, open))
    if is_less(rest, quantity) then left = is_less(0, rest) and negative(rest) or 0 end
  end
  local cost, realized = cost_after_trade(position, buys, arrives, decimal(notional), position[amount], position_notional)
  local still_open = open_after(position, counted, left)
  local fees = position.fees
  if details ~= '' then fees = RARE.charged(fees, nil, given) end
  if problem then return problem end
  if is_too_large(held, QUANTITY_DIGITS) then return { 'overflow', 'quantity' } end
  if is_too_large(traded_after, TOTAL_DIGITS) then return { 'overflow', traded } end
  if is_too_large(position_notional, AMOUNT_DIGITS) then return { 'overflow', amount } end
  if is_too_large(order_notional, AMOUNT_DIGITS) then return { 'overflow', 'filled_notional' } end
  if is_too_large(cost, AMOUNT_DIGITS) then return { 'overflow', 'open_cost' } end
  if is_too_large(realized, AMOUNT_DIGITS) then return { 'overflow', 'realized_profit' } end
  if details ~= '' and not fees then return { 'overflow', 'fees' } end
  local account, unbooked
  if at.account then
    account, unbooked = RARE.plan_fill(order, symbol, counted, arrives, quantity, decimal(notional), given)
  end
  if unbooked then return unbooked end
  local to = status
  if is_marked and not is_late then
    to = RARE.status_of(order, sum(filled, quantity), sum(filled, open))
  elseif not is_late then
    to = is_less(quantity, open) and 'PARTIALLY_FILLED' or 'FILLED'
  end
  move(order, id, plan_move(symbol, status, to))

  local filled_after, notional_after = decimal_text(sum(filled, quantity)), decimal_text(order_notional)
  local is_first = paid_before == 0 and not at.multiplier and not position.multiplier
  version = decimal_text(version)
  set(order, {
    'status', to, 'filled_quantity', filled_after, 'filled_notional', notional_after, 'version', version,
    'updated_ns', ts_ns,
  })
  if is_marked then set_or_clear(order, 'marks', RARE.without_mark(value_of(order, 'marks'), 'PENDING_NEW')) end
  at = order.at
  position.quantity, position[traded], position[amount] = held, traded_after, position_notional
  position[counted] = still_open
  position.open_cost, position.realized_profit, position.fees = cost, realized, fees
  position.version, position.updated_ns, position.is_changed = sum(position.version, 1), ts_ns, true
  local held_fields = fields_of(position)
  position.fields = held_fields
  local ordered, limit, late = flat[at.quantity], flat[at.price] or '', is_late and '1' or ''
  local own_digest, own_json = ''
  if own ~= '' then
    local digest, _, json = RARE.own_parts(own)
    own_digest, own_json = ' +' .. digest, json
  end
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'TRADE', 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id,
    'side', side, 'status', to, 'quantity', ordered, 'price', limit, 'filled_quantity', filled_after,
    'exec_id', exec_id, 'last_quantity', quantity_text, 'last_price', price, 'late', late,
    'position_quantity', held_fields[6], 'multiplier', flat[at.multiplier] or '', 'venue_order_id', venue_id or '',
    'open_quantity', is_marked and RARE.stated_open(order, to, sum(filled, quantity), sum(filled, open)) or '',
    'totals', version .. ' ' .. (is_first and '' or notional_after) .. ' ' .. totals_of(held_fields),
  }, not is_marked and not at.multiplier and not venue_id and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"' .. id .. '","side":"' .. side
    .. '","status":"' .. to .. '","quantity":"' .. ordered .. json_part('price', limit) .. '","filled_quantity":"'
    .. filled_after .. '","exec_id":"' .. exec_id .. '","last_quantity":"' .. quantity_text .. '","last_price":"' .. price
    .. json_part('late', late) .. '","position_quantity":"' .. held_fields[6], symbol .. id .. exec_id, own_json, details)
  if venue_id then RARE.take_venue_id(order, id, number, venue_id) end
  if is_over then RARE.flag_overfilled() end
  if account then account = RARE.book_account(account, position.multiplier, ts_ns) end
  remember(order, entry, number .. ' ' .. quantity_text .. ' ' .. price .. (is_late and ' late' or '')
    .. (is_over and ' over' or '') .. own_digest)
  if details ~= '' then remember_beside(order, 'details:' .. exec_id, number .. '\t' .. details .. '\t') end
  local flags = (is_late and '1' or '0') .. (is_over and ' over' or '')
  return { 'applied', number, flags, state_of(order), table.concat(held_fields, '\n'), account }
end
