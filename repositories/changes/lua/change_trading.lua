-- Of the engine: turn the switch of a trader's trading.
-- Uses changes/change_limits

-- Return {'applied', sequence}  {'repeat', sequence, event…}
--        {'duplicate'}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function change_trading(at)
  local to, request_id, ts_ns, text = unpack(ARGV, at, at + 3)
  local request, content = base .. 'request:' .. request_id, 'TRADING ' .. to
  local known = RARE.answer_to_recalled(request, content)
  if known then return known end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  trading, turned_to = to ~= CONSTANTS.ACTIVE and to or nil, to
  is_limited = trading or has_limits
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'TRADING', 'ts_ns', ts_ns, 'request_id', request_id, 'trading', to,
    'text', text,
  }, false, '')
  requests = requests or {}
  requests[request] = number .. ' ' .. content
  return { 'applied', number }
end
