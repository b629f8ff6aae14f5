-- Place new orders of one trader in the shortest way: orders that are not there, in symbols in which the trader has a position, within
-- all limits for certain, by a call of which nothing is lost or sent again. For all else the engine follows in this script; it is
-- built only when it is called, and decides anew: nothing has been written then.
-- Uses changes/short_way, changes/new_order, changes/open_quantities, changes/within_limits, changes/place_many
-- KEYS book
--      events
--      positions
--      lock
--      step_keys...
-- Touches the positions and the indexes of symbols and statuses
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
--      steps...          each 'place', and what its function unpacks
-- Returns what the engine returns

local SIDES = CONSTANTS.SIDES

-- Write an order, what is open on its side with it, and its indexes, given by key, or as read where some entries of one expire.
local function write_order(key, flat, id, position, open_side, open, counted, by_symbol, by_status)
  redis.call('HSET', key, unpack(flat))
  if counted then
    redis.call('HSET', position, open_side, open, 'limits', counted)
  else
    redis.call('HSET', position, open_side, open)
  end
  if type(by_symbol) == 'table' then RARE.add_to(by_symbol, id) else redis.call('ZADD', by_symbol, 'inf', id) end
  if type(by_status) == 'table' then RARE.add_to(by_status, id) else redis.call('ZADD', by_status, 'inf', id) end
end

-- Return the reply, nil when the engine has to say it.
local function place()
  local at = FIRST.steps
  if ARGV.fence ~= '' or ARGV.earlier ~= '' or ARGV.expected ~= '' then return nil end
  local format, sequence, writer, count, latest_ns, switch, marker =
    unpack(redis.call('HMGET', KEYS.book, 'format', 'sequence', 'writer', 'count', 'latest_ns', 'trading', 'limits'))
  local last = plain_last(format, sequence, writer, count, latest_ns)
  if not last or switch and switch ~= CONSTANTS.ACTIVE then return nil end
  local _, id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest, reference, terms, status, own, more =
    unpack(ARGV, at, at + 16)
  if more or own ~= '' or terms ~= '' then return RARE.place_many(at, last, latest_ns, marker) end
  local base = string.sub(KEYS.book, 1, -5)
  local key, at_position, by_symbol, by_status =
    base .. 'order:' .. id, base .. 'position:' .. symbol, base .. 'orders_by_symbol:' .. symbol, base .. 'orders_by_status:' .. status
  if redis.pcall('EXISTS', key, base .. 'alias:' .. id) ~= 0 then return nil end
  local buy, sell, multiplier, held, own_limits = read_open(at_position, marker)
  if multiplier or not buy or not sell then return nil end
  local side_counted = SIDES[side]
  local was, amount, open = side_counted == 'BUY' and buy or sell, quantity + 0, nil
  if #buy > 15 or #sell > 15 or #quantity > 14 or not string.find(buy .. ' ' .. sell, '^%d+ %d+$') or amount % 1 ~= 0 then
    amount, open = quantity, RARE.open_with_few(was, side_counted == 'BUY' and sell or buy, quantity)
  else
    open = was + amount
  end
  if not open then return RARE.place_many(at, last, latest_ns, marker) end
  local passed, counted
  if marker then
    passed, counted = limits_when_within(marker, own_limits, short_quantity(held), side_counted, open, amount,
      price ~= '' and price or reference ~= '' and reference or stop_price)
    if not passed then return nil end
    if passed == marker then passed = nil end
  end
  local expiring, ending = redis.pcall('ZCOUNT', by_symbol, '-inf', '(inf'), redis.pcall('ZCOUNT', by_status, '-inf', '(inf')
  if expiring ~= 0 then by_symbol = RARE.index_to_clean(by_symbol, expiring) end
  if ending ~= 0 then by_status = RARE.index_to_clean(by_status, ending) end
  if not by_symbol or not by_status then return nil end

  local event, document = event_of_new(id, symbol, side, quantity, price, text, ts_ns, status)
  return carry_out(last, latest_ns, event, document, { 'applied', integer_text(last + 1) }, passed, write_order, key,
    fields_of_new(id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest, reference, status), id,
    at_position, side_counted == 'BUY' and 'open_buy_quantity' or 'open_sell_quantity',
    type(open) == 'number' and integer_text(open) or open, counted, by_symbol, by_status)
end

local reply = place()
if reply then return reply end
