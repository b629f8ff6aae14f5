-- Of the engine: set the limits of a trader or of a symbol, or remove them.
-- Uses changes/limits

-- Return the answer to a request of a trader that is remembered, nil when it is not. It has 'repeat', the number of its event,
-- and the event.
local function answer_to_recalled(request, content)
  local recorded = requests and requests[request] or redis.call('GET', request)
  if not recorded then return nil end
  local number, first = string.match(recorded, '^(%d+) (.+)$')
  if not number then return { 'corrupt', request, 'request', recorded } end
  if first ~= content then return { 'duplicate' } end
  return { 'repeat', number, event_of(number) }
end

-- Return {'applied', sequence}  {'repeat', sequence, event…}
--        {'duplicate'}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function change_limits(at)
  local symbol, request_id, text, document, ts_ns = unpack(ARGV, at, at + 4)
  local request, key = base .. 'request:' .. request_id, base .. 'limits'
  local field = symbol == '' and 'trader' or 'symbol:' .. symbol
  local content = 'LIMITS ' .. field .. ' ' .. text
  local known = RARE.answer_to_recalled(request, content)
  if known then return known end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  RARE.load_limits(symbol)
  problem = nil -- limits that cannot be read are replaced
  limits[symbol].now, limits[symbol].is_changed, limits[''].is_changed = RARE.parsed_limits(field, text), true, true
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'LIMITS', 'ts_ns', ts_ns, 'symbol', symbol, 'request_id', request_id,
    'limits', document,
  }, false, '')
  local change, has_position = RARE.change_in_header()
  if symbol ~= '' or change == false then change = number + 0 end -- what positions have does not count any more
  if symbol ~= '' and limits[symbol].now[3] then has_position = true end
  local second, passed = RARE.counts_in(has_limits)
  has_limits = RARE.marker_of(second, passed, change, has_position)
  is_limited = true
  requests = requests or {}
  requests[request] = number .. ' ' .. content
  return { 'applied', number }
end
