-- Change the quantity or the price of open orders of one trader in the shortest way: orders named by their own ids, which stay open and
-- within all limits for certain, by requests that are not known and say no more, in a call of which nothing is lost or sent again. For
-- all else the engine follows in this script; it is built only when it is called, and decides anew: nothing has been written then.
-- Uses changes/short_way, changes/plain_order, changes/replaced_order, changes/open_quantities, changes/within_limits, changes/replace_many
-- KEYS book
--      events
--      positions
--      lock
--      step_keys...
-- Touches the positions of the orders' symbols
-- ARGV trader            they are those of the engine
--      mode
--      writer
--      count
--      acknowledged
--      earlier
--      kept
--      channels
--      closed_ttl
--      request_ttl
--      record_refusals
--      fence
--      expected
--      steps...          each 'replace', and what its function unpacks
-- Returns what the engine returns

local SIDES = CONSTANTS.SIDES

-- Write an order and what is remembered of it, and what is open on its side with it; `counted` is what its symbol's limits have let pass, nil where that stays.
local function write_replace(key, changes, memory, entry, remembered, position, open_side, open, counted)
  redis.call('HSET', key, unpack(changes))
  redis.call('HSET', memory, entry, remembered)
  if counted then
    redis.call('HSET', position, open_side, open, 'limits', counted)
  else
    redis.call('HSET', position, open_side, open)
  end
end

-- Return the reply, nil when the engine has to say it.
local function replace()
  local at = FIRST.steps
  local _, verb, id, request_id, quantity_text, price, stop_price, revision, ts_ns, text, stated, digest = unpack(ARGV, at, at + 11)
  if ARGV.fence ~= '' or ARGV.earlier ~= '' or ARGV.expected ~= '' or verb ~= 'REPLACED' or stop_price ~= '' or revision ~= ''
    or text ~= '' or stated ~= '' or digest ~= '' then
    return nil
  end
  local format, sequence, writer, count, latest_ns, switch, marker =
    unpack(redis.pcall('HMGET', KEYS.book, 'format', 'sequence', 'writer', 'count', 'latest_ns', 'trading', 'limits'))
  local last = plain_last(format, sequence, writer, count, latest_ns)
  if not last or switch and switch ~= CONSTANTS.ACTIVE then return nil end
  if ARGV[at + 16] then return RARE.replace_many(at, last, latest_ns, marker) end
  local base = string.sub(KEYS.book, 1, -5)
  local key, memory, entry = base .. 'order:' .. id, base .. 'applied:' .. id, 'request:' .. request_id
  local flat = stored_order(key)
  if not flat or redis.pcall('HGET', memory, entry) then return nil end
  local counted, was, filled, at_position = SIDES[flat[8]], flat[14], flat[18], base .. 'position:' .. flat[6]
  local buy, sell, held, own, _
  if marker then
    buy, sell, _, held, own = RARE.read_open(at_position, marker)
  else
    buy, sell = unpack(redis.pcall('HMGET', at_position, 'open_buy_quantity', 'open_sell_quantity'))
  end
  if not counted or not buy or not sell then return nil end
  local asked, was_open, open, quantity = quantity_text ~= '' and quantity_text or was, counted == 'BUY' and buy or sell, nil, nil
  if #was > 15 or #filled > 15 or #asked > 15 or #buy > 15 or #sell > 15 or not string.find(was, '^[1-9]%d*$')
    or asked ~= was and not string.find(asked, '^[1-9]%d*$') or filled ~= '0' and not string.find(filled, '^[1-9]%d*$')
    or buy ~= '0' and not string.find(buy, '^[1-9]%d*$') or sell ~= '0' and not string.find(sell, '^[1-9]%d*$') then
    open, quantity = RARE.open_after_few(was_open, counted == 'BUY' and sell or buy, asked, was, filled)
    if not open then return nil end
  else
    local ordered, done = was + 0, filled + 0
    quantity = asked + 0
    open = was_open + quantity - ordered
    if done >= ordered or done >= quantity or open < 0 then return nil end
  end
  if flat[16] ~= (filled == '0' and 'NEW' or 'PARTIALLY_FILLED') then return nil end
  local number = integer_text(last + 1)
  local changes, remembered, event, document, value, answer =
    replaced(flat, number, id, request_id, asked, quantity_text, price, ts_ns)
  if not changes then return nil end
  local passed, passed_own
  if marker then
    passed, passed_own = RARE.limits_when_within(marker, own, RARE.short_quantity(held), counted, open, quantity, value)
    if not passed then return nil end
    if passed == marker then passed = nil end
  end
  return carry_out(last, latest_ns, event, document, answer, passed, write_replace, key, changes, memory, entry, remembered,
    at_position, counted == 'BUY' and 'open_buy_quantity' or 'open_sell_quantity',
    type(open) == 'number' and integer_text(open) or open, passed_own)
end

local reply = replace()
if reply then return reply end
