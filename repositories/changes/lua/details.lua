-- Of the engine: the details of an execution, which are what its report says beside quantity and price, and completing them: a
-- repeat of the report may add what was absent, once. They are remembered as lines, the first that of the report itself, then
-- one for each change that has added some: the number of the event, the values in JSON, and the rare fields of the order.
-- Uses changes/run, changes/remembered, changes/fees, changes/order_status, changes/publish, changes/accounts, changes/totals

local DETAILS = CONSTANTS.DETAILS -- the names, in the order in which they are written

-- Return written details as a table, nil for what is none.
local function details_in(json)
  local went_well, values = pcall(cjson.decode, json)
  if not went_well or type(values) ~= 'table' then return nil end
  local named = 0
  for _, name in ipairs(DETAILS) do
    if values[name] ~= nil then
      if type(values[name]) ~= 'string' then return nil end
      named = named + 1
    end
  end
  for _ in pairs(values) do named = named - 1 end
  local is_taken = values.fee_from_quantity
  if is_taken and (is_taken ~= '1' or not values.fee or not values.fee_currency) then return nil end
  local digits, places = is_taken and QUANTITY_DIGITS or AMOUNT_DIGITS, is_taken and CONSTANTS.QUANTITY_PLACES or AMOUNT_PLACES
  return named == 0 and (not values.fee or RARE.is_decimal(values.fee, digits, places)) and values or nil
end

-- Return what a position gets of an executed quantity: all of it, but for a fee that is taken from it; nil where it is sold.
local function arriving(quantity, values, buys)
  if not values or not values.fee_from_quantity then return quantity end
  return buys and sum(quantity, negative(decimal(values.fee))) or nil
end

-- Return details as they are written, '' for none.
local function details_text(values)
  local parts = {}
  for _, name in ipairs(DETAILS) do
    if values[name] then parts[#parts + 1] = '"' .. name .. '":"' .. escaped(values[name]) .. '"' end
  end
  return #parts > 0 and '{' .. table.concat(parts, ',') .. '}' or ''
end

-- Return the lines of the details of a report, each with its `number`, `values` and `rare` fields, and all values together.
-- Note a problem with what no change has written.
local function details_of(order, exec_id)
  local name = 'details:' .. exec_id
  local text = recall(order, name)
  local lines, known = {}, {}
  if not text then return lines, known end
  for line in string.gmatch(text .. '\n', '(.-)\n') do
    local number, json, rare = string.match(line, '^([1-9]%d*)\t(%b{})\t([^\t]*)$')
    local values = number and details_in(json)
    local is_written = values and details_text(values) == json and (#lines == 0 or lines[#lines].number + 0 < number + 0)
    for one, value in pairs(is_written and values or {}) do
      if known[one] then is_written = false end
      known[one] = value
    end
    if not is_written then
      problem = problem or { 'corrupt', order.memory, name, text }
      return {}, {}
    end
    lines[#lines + 1] = { number = number, values = values, rare = rare }
  end
  return lines, known
end

-- Return the line with which a report had all details that a repeat of it gives, nil for the report itself.
local function line_with(lines, given, number)
  local missing = 0
  for _ in pairs(given) do missing = missing + 1 end
  for _, line in ipairs(lines) do
    for name in pairs(line.values) do
      if given[name] then missing = missing - 1 end
    end
    if missing == 0 then return line.number ~= number and line or nil end
  end
end

-- Return the execution that the first of a line of corrections has revised.
local function root_of(order, exec_id)
  return recall(order, 'root:' .. exec_id) or exec_id
end

-- Return quantity, price and exec_id of what counts of an execution, or the answer that says why it cannot be revised. What is
-- remembered of the last report about it has to be what that report says.
local function live_execution(order, position, root, kind)
  local first = recall(order, 'fill:' .. root)
  if not first then return nil, { 'unknown' } end
  local now = recall(order, 'now:' .. root)
  local quantity, price, exec_id = string.match(now or first, '^%d+ (%d[%d.]*) (%-?%d[%d.]*) ?(.*)$')
  if not now and quantity then return quantity, price, root end
  exec_id = exec_id or string.match(now or '', '^%d+ busted (.+)$')
  local content = (quantity and quantity .. ' ' .. price .. ' correct' or '0 0 bust') .. '|'
  local report = exec_id and string.match(now, '^%d+ ') .. content
  local said = exec_id and recall(order, 'fill:' .. exec_id) or ''
  if not report or string.sub(said, 1, #report) ~= report or root_of(order, exec_id) ~= root then
    return nil, { 'corrupt', (now or not order.at['fill:' .. root]) and order.memory or order.key, (now and 'now:' or 'fill:') .. root, now or first }
  end
  if quantity then return quantity, price, exec_id end
  if kind == 'TRADE_CORRECT' then return nil, { 'busted' } end
  local account = RARE.account_text(order, position.symbol)
  return nil, problem or { 'outdated', state_of(order), table.concat(fields_of(position), '\n'), account or '' }
end

-- Answer a repeat of a report with details, the event of which has a number. What does not count any more is completed as well,
-- but the position stays as it is. Return nil for one that adds nothing to it; a table
-- with the `number` of the event and the `rare` fields of the change that has added them, which may be this one, that
-- `is_applied`; or with the `refused` answer.
local function complete_execution(order, position, exec_id, number, details, ts_ns)
  local lines, known = details_of(order, exec_id)
  local given, added, is_new = details_in(details), {}, false
  if problem then return { refused = problem } end
  for _, name in ipairs(DETAILS) do
    local value = given[name]
    if value and not known[name] then
      added[name], is_new = value, true
    elseif value and known[name] ~= value then
      return { refused = { 'detail', name, known[name] } }
    end
  end
  if added.fee_currency and not added.fee then return { refused = { 'detail', 'fee_currency', '' } } end
  if added.fee_from_quantity then return { refused = { 'detail', 'fee_from_quantity', '' } } end
  if not is_new then return line_with(lines, given, number) end
  local refused = is_barred and RARE.bar()
  if refused then return { refused = refused } end
  local status, side, symbol = decisive_fields(order)
  local version, filled, ordered = next_version(order), quantity_in(order, 'filled_quantity'), ordered_in(order)
  local notional = decimal_text(amount_in(order, 'filled_notional'))
  local quantity, answer, counting = live_execution(order, position, root_of(order, exec_id), '')
  if not quantity and answer[1] == 'corrupt' then problem = problem or answer end
  if problem then return { refused = problem } end
  local counts = quantity and counting == exec_id
  local fees = counts and charged(position.fees, nil, added)
  if counts and not fees then return { refused = { 'overflow', 'fees' } } end
  local account, unbooked
  if counts and order.at.account then
    account, unbooked = RARE.plan_execution(order, symbol, SIDES[side], 0, 0, 0, nil, added,
      function(one) return one.open_cost, one.realized_profit end)
  end
  if unbooked then return { refused = unbooked } end

  if not OPEN_STATUSES[status] and not order.expiry then -- what is remembered beside the order may begin here, and ends with it
    local expires = redis.call('PEXPIRETIME', order.key)
    order.memory_expiry = expires > 0 and integer_text(expires) or nil
  end

  version, added = decimal_text(version), details_text(added)
  set(order, { 'version', version, 'updated_ns', ts_ns })
  local fields
  if counts then
    position.version, position.updated_ns, position.is_changed = sum(position.version, 1), ts_ns, true
    position.fees = fees
    fields = fields_of(position)
  end
  local event = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'TRADE_DETAILS', 'ts_ns', ts_ns, 'symbol', symbol,
    'order_id', value_of(order, 'order_id'), 'side', side, 'status', status, 'quantity', decimal_text(ordered),
    'price', value_of(order, 'price') or '', 'filled_quantity', decimal_text(filled), 'exec_id', exec_id, 'details', added,
    'position_quantity', fields and fields[6] or '', 'multiplier', value_of(order, 'multiplier') or '', 'open_quantity', stated_open(order, status, filled, ordered),
    'totals', version .. ' ' .. notional .. (fields and ' ' .. totals_of(fields) or ''),
  }, false, '')
  if account then RARE.book_account(account, position.multiplier, ts_ns) end
  local rare = rare_fields(order)
  if string.find(rare, '^%["[^"]*"[",]*%]$') then rare = '' end -- as remember has it: none but a stop price
  local name = 'details:' .. exec_id
  local before = recall(order, name)
  remember_beside(order, name, (before and before .. '\n' or '') .. event .. '\t' .. added .. '\t' .. rare)
  return { number = event, rare = rare, is_applied = true }
end
