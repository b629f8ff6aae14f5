-- Of the engine: change a position without an order, once: by a difference, to a value, or by a difference within a limit.
-- Uses changes/run, changes/cost

-- Return whether a quantity is above a limit, and farther from zero than the quantity before: what makes a position smaller is
-- let through wherever it is.
local function is_beyond(quantity, limit, before)
  local size = magnitude(quantity)
  return is_less(limit, size) and is_less(magnitude(before), size)
end

-- Return {'applied', sequence, position…}  {'limit', position…}
--        {'repeat', sequence, position as it is now…, event…}
--        {'duplicate'}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function change_position(at)
  local symbol, request_id, action, quantity_text, max_position, ts_ns = unpack(ARGV, at, at + 5)
  local request = base .. 'request:' .. request_id
  local content = table.concat({ symbol, action, quantity_text, max_position }, ' ')
  local recorded = requests and requests[request] or redis.call('GET', request)
  if recorded then
    local number, first = string.match(recorded, '^(%d+) (.+)$')
    if not number then return { 'corrupt', request, request_id, recorded } end
    if first ~= content then return { 'duplicate' } end
    local position = load_position(symbol)
    if problem then return problem end
    return { 'repeat', number, table.concat(fields_of(position), '\n'), event_of(number) }
  end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local position, change = load_position(symbol), decimal(quantity_text)
  if problem then return problem end
  local quantity = action == 'ADJUST' and sum(position.quantity, change) or change
  if is_less(MAX_QUANTITY, magnitude(quantity)) then return { 'overflow', 'quantity' } end
  if max_position ~= '' and RARE.is_beyond(quantity, decimal(max_position), position.quantity) then
    return { 'limit', table.concat(fields_of(position), '\n') }
  end
  local cost, realized = cost_after_change(position, quantity)
  if is_too_large(realized, AMOUNT_DIGITS) then return { 'overflow', 'realized_profit' } end

  local difference = action == 'ADJUST' and quantity_text or decimal_text(sum(quantity, negative(position.quantity)))
  position.open_cost, position.realized_profit = cost, realized
  position.quantity, position.version = quantity, sum(position.version, 1)
  position.updated_ns, position.is_changed = ts_ns, true
  local fields = fields_of(position)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'POSITION', 'ts_ns', ts_ns, 'symbol', symbol,
    'request_id', request_id, 'position_quantity', fields[6], 'position_change', difference, 'totals', totals_of(fields),
  }, '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","request_id":"' .. request_id .. '","position_quantity":"'
    .. fields[6] .. '","position_change":"' .. difference, symbol .. request_id)
  requests = requests or {}
  requests[request] = number .. ' ' .. content
  return { 'applied', number, table.concat(fields, '\n') }
end
