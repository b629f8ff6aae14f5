-- Of the engine: bust an execution, or correct it, once: what it has added to its order and its position is taken back exactly,
-- and a correction adds what counts in its place. What the position has cost by then is given by the caller, who has folded it
-- anew from the events, with what that relies on; without it the cost is approximate: the first is a trade in the other direction.
-- An order that has no end but FILLED gets the status that its fills leave.
-- Uses changes/run, changes/order_status, changes/cost, changes/details, changes/multiplier, changes/accounts, changes/totals

-- Return the answer to a bust or a correction whose exec_id is remembered.
local function answer_to_revised(order, position, entry, recorded, root, wanted, details, ts_ns)
  local number, content, rare = parts_of(recorded)
  if not number then return { 'corrupt', order.at[entry] and order.key or order.memory, entry, recorded } end
  if content ~= wanted or root_of(order, string.sub(entry, 6)) ~= root then return { 'duplicate', content } end
  local completed = details ~= '' and complete_execution(order, position, string.sub(entry, 6), number, details, ts_ns)
  if completed and completed.refused then return completed.refused end
  if completed then number, rare = completed.number, completed.rare end
  local held = table.concat(fields_of(position), '\n')
  local account = RARE.account_text(order, position.symbol)
  if problem then return problem end
  if completed and completed.is_applied then return { 'applied', number, state_of(order), held, account or '', 'completed' } end
  return { 'repeat', number, state_of(order), held, rare, account or '', event_of(number) }
end

-- Return the open cost and the realized profit that an execution leaves which is taken back by a trade in the other direction.
local function cost_taken_back(position, buys, before, taken, after, added)
  local cost, realized = cost_after_trade(position, not buys, before, taken)
  if after == 0 then return cost, realized end
  local rest = sum(position.quantity, buys and negative(before) or before)
  local between = { quantity = rest, open_cost = cost, realized_profit = realized }
  return cost_after_trade(between, buys, after, added)
end

-- Return the open cost and the realized profit that the caller has folded anew; nil when the position is not what they were
-- folded from, or when they would create or lose money: `cash` is what the revision adds to that.
local function cost_given(position, basis, cash)
  local from, cost, realized = string.match(basis, '^(%S+ %S+ %S+ %S+) (%S+) (%S+)$')
  local is_from = from == decimal_text(position.quantity) .. ' ' .. decimal_text(position.version) .. ' '
    .. decimal_text(position.open_cost) .. ' ' .. decimal_text(position.realized_profit)
  if not is_from then return nil end
  cost, realized = decimal(cost), decimal(realized)
  local before = sum(sum(position.realized_profit, negative(position.open_cost)), cash)
  if decimal_text(sum(realized, negative(cost))) ~= decimal_text(before) then return nil end
  return cost, realized
end

-- Return {'applied', sequence, order…, position…, account…}: '' for the account of an order without one
--        {'applied', sequence, order…, position…, account…, 'completed'}: a repeat that has added details
--        {'repeat', sequence, order as it is now…, position as it is now…, rare fields then, account as it is now…, event…}
--        {'outdated', order…, position…, account…}: another bust has taken it back
--        {'moved', version}: the position is not what its cost was folded from
--        {'missing'}  {'mismatch', side, symbol}  {'ambiguous', id, order_id that has it}  {'duplicate', content}  {'detail', name, value}  {'unknown'}  {'busted'}
--        {'multiplier', of the order, of its position}  {'sells', side}: no fee is taken from what is sold
--        {'overfill', quantity that it could have, status}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function revise_execution(at)
  local kind, id, exec_id, exec_ref_id, quantity_text, price, notional, ts_ns, text, stated, details, basis =
    unpack(ARGV, at, at + 11)
  local order
  order, id = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local contradicts, venue_id
  if stated ~= '' then contradicts, venue_id = RARE.contradicted_by(order, id, stated) end
  if contradicts then return contradicts end
  local entry, root = 'fill:' .. exec_id, root_of(order, exec_ref_id)
  local recorded = recall(order, entry)
  local status, side, symbol = decisive_fields(order)
  if problem then return problem end
  local position = load_position(symbol)
  if problem then return problem end
  if position.is_new and not position.is_changed then return { 'corrupt', position.key, 'quantity', '' } end
  local content = (quantity_text == '' and '0 0 bust' or quantity_text .. ' ' .. price .. ' correct')
  if recorded then return RARE.answer_to_revised(order, position, entry, recorded, root, content, details, ts_ns) end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local was_quantity, was_price, was_report = live_execution(order, position, root, kind)
  if not was_quantity then return was_price end
  local _, was_details = details_of(order, was_report)

  local before, after = decimal(was_quantity), quantity_text == '' and 0 or decimal(quantity_text)
  local difference, given = sum(after, negative(before)), details ~= '' and details_in(details) or nil
  local gone, arrives = arriving(before, was_details, SIDES[side] == 'BUY'), arriving(after, given, SIDES[side] == 'BUY')
  local taken, added = product(before, decimal(was_price)), notional == '' and 0 or decimal(notional)
  if order.at.multiplier or position.multiplier then
    local unlike
    taken, unlike = RARE.amount_of_order(order, position, taken)
    if unlike then return unlike end
    added, unlike = RARE.amount_of_order(order, position, added)
    if unlike then return unlike end
  end
  local amount, counted = sum(added, negative(taken)), SIDES[side]
  local filled, ordered, version = quantity_in(order, 'filled_quantity'), ordered_in(order), next_version(order)
  local filled_after, order_notional = sum(filled, difference), sum(amount_in(order, 'filled_notional'), amount)
  if problem then return problem end
  if is_less(filled_after, 0) then return { 'corrupt', order.key, 'filled_quantity', decimal_text(filled) } end
  if is_less(ordered, filled_after) and is_less(0, difference) then
    local most = sum(ordered, negative(sum(filled, negative(before))))
    return { 'overfill', is_less(most, 0) and '0' or decimal_text(most), status }
  end
  if not gone or not arrives then return { 'sells', side } end
  local buys = counted == 'BUY'
  local account_basis, cost, realized = ''
  if order.at.account then basis, account_basis = string.match(basis, '^([^|]*)|?(.*)$') end
  if basis ~= '' then
    cost, realized = cost_given(position, basis, buys and negative(amount) or amount)
    if not cost then return { 'moved', decimal_text(position.version) } end
  else
    cost, realized = cost_taken_back(position, buys, gone, taken, arrives, added)
  end
  local traded, traded_amount = buys and 'bought_quantity' or 'sold_quantity', buys and 'bought_notional' or 'sold_notional'
  local held = sum(position.quantity, buys and sum(arrives, negative(gone)) or negative(difference))
  local traded_after, position_notional = sum(position[traded], difference), sum(position[traded_amount], amount)
  local to = (OPEN_STATUSES[status] or status == 'FILLED') and status_of(order, filled_after, ordered) or status
  local opened = sum(open_rest(order, to, filled_after, ordered), negative(open_rest(order, status, filled, ordered)))
  local still_open = open_after(position, counted, opened)
  if problem then return problem end
  if is_too_large(held, QUANTITY_DIGITS) then return { 'overflow', 'quantity' } end
  if is_too_large(still_open, TOTAL_DIGITS) then return { 'overflow', OPEN_QUANTITY[counted] } end
  if is_too_large(traded_after, TOTAL_DIGITS) then return { 'overflow', traded } end
  if is_too_large(position_notional, AMOUNT_DIGITS) then return { 'overflow', traded_amount } end
  if is_too_large(cost, AMOUNT_DIGITS) then return { 'overflow', 'open_cost' } end
  if is_too_large(realized, AMOUNT_DIGITS) then return { 'overflow', 'realized_profit' } end
  local fees = charged(position.fees, was_details, given)
  if not fees then return { 'overflow', 'fees' } end
  if is_too_large(order_notional, AMOUNT_DIGITS) then return { 'overflow', 'filled_notional' } end
  local account, unbooked
  if order.at.account then
    account, unbooked = RARE.plan_execution(order, symbol, counted, sum(arrives, negative(gone)), difference, amount, was_details,
      given, function(one)
        if account_basis == '' then return cost_taken_back(one, buys, gone, taken, arrives, added) end
        local exact, profit = cost_given(one, account_basis, buys and negative(amount) or amount)
        return exact, profit or { 'moved', decimal_text(one.version) }
      end)
  end
  if unbooked then return unbooked end
  move(order, id, plan_move(symbol, status, to))

  local filled_text, notional_text = decimal_text(filled_after), decimal_text(order_notional)
  version = decimal_text(version)
  set(order, {
    'status', to, 'filled_quantity', filled_text, 'filled_notional', notional_text, 'version', version, 'updated_ns', ts_ns,
  })
  set_or_clear(order, 'text', text)
  position.quantity, position[traded], position[traded_amount], position[counted] =
    held, traded_after, position_notional, still_open
  position.open_cost, position.realized_profit, position.fees = cost, realized, fees
  position.version, position.updated_ns, position.is_changed = sum(position.version, 1), ts_ns, true
  local held_fields = fields_of(position)
  local ordered_text, limit, reversed = decimal_text(ordered), value_of(order, 'price') or '', details_text(was_details)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', kind, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id,
    'side', side, 'status', to, 'quantity', ordered_text, 'price', limit, 'filled_quantity', filled_text,
    'exec_id', exec_id, 'exec_ref_id', exec_ref_id, 'last_quantity', quantity_text, 'last_price', price,
    'reversed_quantity', was_quantity, 'reversed_price', was_price, 'cost_basis', basis == '' and 'approximate' or '',
    'reversed_details', reversed, 'position_quantity', held_fields[6],
    'multiplier', value_of(order, 'multiplier') or '', 'text', text, 'venue_order_id', venue_id or '',
    'open_quantity', stated_open(order, to, filled_after, ordered),
    'totals', version .. ' ' .. notional_text .. ' ' .. totals_of(held_fields),
  }, basis ~= '' and not order.at.marks and reversed == '' and not order.at.multiplier and not venue_id and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"' .. id .. '","side":"' .. side
    .. '","status":"' .. to .. '","quantity":"' .. ordered_text .. json_part('price', limit) .. '","filled_quantity":"'
    .. filled_text .. '","exec_id":"' .. exec_id .. '","exec_ref_id":"' .. exec_ref_id
    .. json_part('last_quantity', quantity_text) .. json_part('last_price', price) .. '","reversed_quantity":"'
    .. was_quantity .. '","reversed_price":"' .. was_price .. '","position_quantity":"' .. held_fields[6]
    .. json_part('text', text), symbol .. id .. exec_id .. exec_ref_id .. text, nil, details)
  if basis == '' then position.approximated = number end
  local account_state = ''
  if account then
    if account_basis == '' then account.position.approximated = number end
    account_state = RARE.book_account(account, position.multiplier, ts_ns,
      account_basis == '' and { 'account_cost_basis', 'approximate' } or nil)
  end
  if venue_id then RARE.take_venue_id(order, id, number, venue_id) end
  remember(order, entry, number .. ' ' .. content)
  remember_beside(order, 'root:' .. exec_id, root)
  order.remembered['now:' .. root] =
    number .. ' ' .. (quantity_text == '' and 'busted' or quantity_text .. ' ' .. price) .. ' ' .. exec_id
  if details ~= '' then remember_beside(order, 'details:' .. exec_id, number .. '\t' .. details .. '\t') end
  return { 'applied', number, state_of(order), table.concat(held_fields, '\n'), account_state }
end
