-- Of the engine: record that an order is accepted, done for the day, stopped or suspended, or that a request to cancel or
-- replace it is pending or was refused.
-- Uses changes/run, changes/aliases, changes/order_status

-- Return whether a report tells of a pending request again, and of nothing that is not known of it.
local function asks_the_same(request, kind, terms)
  for i, term in ipairs(terms) do
    if term ~= '' and term ~= request[3 + i] then return false end
  end
  return request[1] == kind
end

-- Return the marks and pending requests of an order after a report, and the status that it shows; or nil and the answer when
-- the report changes nothing or is refused.
local function planned_report(order, status, filled, quantity, report)
  local kind, marks, list = report.kind, value_of(order, 'marks') or '', pending_of(order)
  local has_ended = not OPEN_STATUSES[status] and status ~= 'FILLED'
  if kind == 'CANCEL_REJECTED' then
    local refused = answer_pending(list, report.client_id)
    if refused then return nil, refused end
    local pending = pending_text(list)
    return marks, pending, has_ended and status or status_by(marks, pending, filled, quantity)
  end
  if has_ended then return nil, { 'closed', status } end
  if kind == 'PENDING_CANCEL' or kind == 'PENDING_REPLACE' then
    local terms = report.terms
    for _, one in ipairs(list) do
      if one[2] == report.client_id then
        return nil, asks_the_same(one, kind, terms) and { 'outdated', state_of(order) } or { 'asked' }
      end
    end
    if recall(order, 'alias:' .. report.client_id) then return nil, { 'outdated', state_of(order) } end -- it was answered
    local type = value_of(order, 'type') or ''
    if terms[2] ~= '' and not order.at.price and not TAKE_PRICE[type] then return nil, { 'type', type, 'price' } end
    if terms[3] ~= '' and not order.at.stop_price and not TAKE_STOP_PRICE[type] then return nil, { 'type', type, 'stop_price' } end
    list[#list + 1] = { kind, report.client_id, report.ts_ns, terms[1], terms[2], terms[3], report.text }
    local pending = pending_text(list)
    return marks, pending, status_by(marks, pending, filled, quantity)
  end
  if not is_less(filled, quantity) then return nil, { 'closed', 'FILLED' } end
  local pending = pending_text(list)
  if kind == 'NEW' then
    local is_known = report.venue_id == '' or report.venue_id == value_of(order, 'venue_order_id')
    if is_known and not has_mark(marks, 'PENDING_NEW') then return nil, { 'outdated', state_of(order) } end
    marks = without_mark(marks, 'PENDING_NEW')
    local to, said = status_by(marks, pending, filled, quantity), report.said
    if said ~= '' and said ~= to and said ~= status_by(marks, '', filled, quantity) then return nil, { 'said', to } end
    return marks, pending, said ~= '' and said or to
  end
  if has_mark(marks, kind) and kind ~= 'STOPPED' then return nil, { 'outdated', state_of(order) } end
  marks = without_mark(marks, 'PENDING_NEW')
  if not has_mark(marks, kind) then marks = (marks == '' and '' or marks .. ' ') .. kind end
  return marks, pending, status_by(marks, pending, filled, quantity)
end

-- Return {'applied', sequence, order…}
--        {'repeat', sequence, order as it is now…, rare fields then, event…}
--        {'outdated', order…}: the order was so already
--        {'missing'}  {'mismatch', side, symbol}  {'duplicate'}  {'closed', status}  {'type', order type, field}
--        {'asked'}: a pending request of that id asks for something else
--        {'several'}: it is not said which of several requests it answers  {'said', status}: not the one that was said
--        {'ambiguous', id, order_id that has it}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function report_order(at)
  local kind, id, request_id, ts_ns, text, stated, digest, client_id, original_id, reason, said, wanted, price, stop_price,
    venue_id = unpack(ARGV, at, at + 14)
  local order
  order, id = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local contradicts = stated ~= '' and RARE.contradiction(order, stated)
  if contradicts then return contradicts end
  local entry, content = 'request:' .. request_id, kind .. ' ' .. digest
  local recorded = recall(order, entry)
  if recorded then return RARE.repeat_of_request(order, entry, recorded, content) end
  local status, side, symbol = decisive_fields(order)
  local filled, quantity = quantity_in(order, 'filled_quantity'), ordered_in(order)
  if problem then return problem end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local marks, pending, to = planned_report(order, status, filled, quantity, {
    kind = kind, client_id = client_id, ts_ns = ts_ns, text = text, said = said, venue_id = venue_id, terms = { wanted, price, stop_price },
  })
  if not marks then return pending end
  local clashes = (client_id ~= '' or venue_id ~= '') and RARE.clash_of(id, client_id, venue_id)
  if clashes then return clashes end
  local position, version = load_open(symbol), decimal_text(next_version(order))
  local difference = sum(open_by(order, marks, to, filled, quantity), negative(open_rest(order, status, filled, quantity)))
  local open = open_after(position, SIDES[side], difference)
  if problem then return problem end
  move(order, id, plan_move(symbol, status, to))

  set(order, { 'status', to, 'version', version, 'updated_ns', ts_ns })
  set_or_clear(order, 'text', text)
  if venue_id ~= '' then set(order, { 'venue_order_id', venue_id }) end
  set_or_clear(order, 'marks', marks)
  set_or_clear(order, 'pending', pending)
  position[SIDES[side]], position.is_changed = open, true
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', kind, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
    'status', to, 'quantity', decimal_text(quantity), 'price', value_of(order, 'price') or '',
    'filled_quantity', decimal_text(filled), 'request_id', request_id, 'text', text,
    'client_order_id', client_id, 'original_client_order_id', original_id, 'venue_order_id', venue_id, 'reason', reason,
    'reported_status', said ~= to and said or '', 'requested_quantity', wanted, 'requested_price', price,
    'requested_stop_price', stop_price, 'open_quantity', stated_open(order, to, filled, quantity),
    'totals', version .. ' ' .. (value_of(order, 'filled_notional') or ''),
  }, false, '')
  if client_id ~= '' or venue_id ~= '' then RARE.take_ids(order, id, number, client_id, venue_id) end
  remember(order, entry, number .. ' ' .. content)
  return { 'applied', number, state_of(order) }
end
