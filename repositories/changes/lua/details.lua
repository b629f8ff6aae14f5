-- Of the engine: the details of an execution, which are what its report says beside quantity and price, and completing them: a
-- repeat of the report may add what was absent, once. They are remembered as lines, the first that of the report itself, then
-- one for each change that has added some: the number of the event, the values in JSON, and the rare fields of the order.
-- Uses changes/run, changes/order_status, changes/publish

local DETAILS = CONSTANTS.DETAILS -- the names, in the order in which they are written

-- Return whether a text is a written amount.
local function is_amount(text)
  local whole, part = string.match(text, '^%-?(%d+)%.?(%d*)$')
  if not whole or #whole > AMOUNT_DIGITS or string.find(whole, '^0.') or text == '-0' then return false end
  return string.find(text, '.', 1, true) == nil or string.find(part, '[1-9]$') ~= nil
end

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
  return named == 0 and (not values.fee or is_amount(values.fee)) and values or nil
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

-- Answer a repeat of a report with details, the event of which has a number: return nil for one that adds nothing to it; a table
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
  if not is_new then return line_with(lines, given, number) end
  local refused = is_barred and RARE.bar()
  if refused then return { refused = refused } end
  local status, side, symbol = decisive_fields(order)
  local version, filled, ordered = next_version(order), quantity_in(order, 'filled_quantity'), ordered_in(order)
  local notional = decimal_text(amount_in(order, 'filled_notional'))
  if problem then return { refused = problem } end

  version, added = decimal_text(version), details_text(added)
  set(order, { 'version', version, 'updated_ns', ts_ns })
  position.version, position.updated_ns, position.is_changed = sum(position.version, 1), ts_ns, true
  local fields = fields_of(position)
  local event = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'TRADE_DETAILS', 'ts_ns', ts_ns, 'symbol', symbol,
    'order_id', value_of(order, 'order_id'), 'side', side, 'status', status, 'quantity', decimal_text(ordered),
    'price', value_of(order, 'price') or '', 'filled_quantity', decimal_text(filled), 'exec_id', exec_id, 'details', added,
    'position_quantity', fields[6], 'open_quantity', stated_open(order, status, filled, ordered),
    'totals', version .. ' ' .. notional .. ' ' .. totals_of(fields),
  }, false, '')
  local rare = rare_fields(order)
  if string.find(rare, '^%["[^"]*"[",]*%]$') then rare = '' end -- as remember has it: none but a stop price
  local name = 'details:' .. exec_id
  local before = recall(order, name)
  order.remembered = order.remembered or {}
  order.remembered[name] = (before and before .. '\n' or '') .. event .. '\t' .. added .. '\t' .. rare
  return { number = event, rare = rare, is_applied = true }
end
