-- Of the engine: the ends of orders of one call in a short way: several orders are decided one after the other, and what they share is
-- read and written once. It leaves to the engine whatever it does not expect, before anything is written.
-- Uses changes/short_way, changes/plain_order, changes/decimals, changes/expiring_index, changes/lifetimes

local SHORT = 48 -- bytes of what is remembered in an order

-- Return the status that an order leaves, nil where it cannot be ended so, or the engine has to look at it.
local function can_end(flat, to, entry)
  local from, filled, ordered, version = flat[16], unsigned(flat[18]), unsigned(flat[14]), unsigned(flat[22])
  if from ~= 'NEW' and from ~= 'PARTIALLY_FILLED' or to == 'CALCULATED' or not filled or not ordered or type(version) ~= 'number'
    or filled ~= 0 and to == 'REJECTED' or filled + 0 >= ordered + 0 or #entry > SHORT then
    return nil
  end
  return from
end

-- Make of an order what it is once it has ended, and return what is written of it.
local function set_end(flat, is_changed, to, version, ts_ns, entry, remembered)
  flat[16], flat[22] = to, version
  set_changed(flat, is_changed, ts_ns, entry, remembered)
  if is_changed then return { 'status', to, 'version', version, 'updated_ns', ts_ns } end
  return { 'status', to, 'version', version, 'updated_ns', ts_ns, entry, remembered }
end

-- Return the fields and values of the event of an order that has ended, and its fields in JSON, false where a value needs an escape.
local function event_of_end(flat, limit, to, ts_ns, request_id)
  local id, symbol, side, quantity, filled, totals, event = flat[4], flat[6], flat[8], flat[14], flat[18], flat[22] .. ' ' .. flat[20], nil
  if limit == '' then
    event = {
      'writer', ARGV.writer, 'count', ARGV.count, 'type', to, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
      'status', to, 'quantity', quantity, 'filled_quantity', filled, 'request_id', request_id, 'totals', totals,
    }
  else
    event = {
      'writer', ARGV.writer, 'count', ARGV.count, 'type', to, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
      'status', to, 'quantity', quantity, 'price', limit, 'filled_quantity', filled, 'request_id', request_id, 'totals', totals,
    }
    limit = '","price":"' .. limit
  end
  return event, not string.find(symbol .. id .. request_id, '["\\]') and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol
    .. '","order_id":"' .. id .. '","side":"' .. side .. '","status":"' .. to .. '","quantity":"' .. quantity .. limit
    .. '","filled_quantity":"' .. filled .. '","request_id":"' .. request_id
end

-- Remove from indexes the entries that have expired by a time, where there are some.
local function drop_all_expired(now, ...)
  for _, key in ipairs({ ... }) do
    if redis.call('ZCOUNT', key, '-inf', now) > 0 then redis.call('ZREMRANGEBYSCORE', key, '-inf', now) end
  end
end

-- Return an index that can be written, nil for another key.
local function index_of_key(indexes, key)
  if indexes[key] then return indexes[key] end
  local lowest = redis.pcall('ZRANGE', key, 0, 0, 'WITHSCORES')
  indexes[key] = not lowest.err and { key = key, lowest = lowest[2] } or nil
  return indexes[key]
end

-- Return what is open in a symbol, nil where it is not there, or the engine has to look at it.
local function open_in(positions, key)
  if positions[key] then return positions[key] end
  local buy, sell = unpack(redis.pcall('HMGET', key, 'open_buy_quantity', 'open_sell_quantity'))
  local position = { BUY = buy and unsigned(buy) or nil, SELL = sell and unsigned(sell) or nil }
  if not position.BUY or not position.SELL then return nil end
  positions[key] = position
  return position
end

-- Return what is open on a side without the rest of an order, given its quantities, where that and what is open on the other side have
-- few digits; nil for all else.
local function open_without_few(was, other, ordered, filled)
  was = unsigned(was)
  local open = was and unsigned(other) and sum(was, negative(sum(unsigned(ordered), negative(unsigned(filled)))))
  return open and not is_less(open, 0) and open or nil
end

-- Write orders and what is remembered beside them, which expire, positions, and indexes.
local function write_ends(ends, expiry, positions, indexes)
  for i = 1, #ends do
    local one = ends[i]
    redis.call('HSET', one.key, unpack(one.written))
    redis.call('PEXPIREAT', one.key, expiry)
    if one.memory then
      redis.call('HSET', one.memory, one.entry, one.remembered)
      redis.call('PEXPIREAT', one.memory, expiry)
    end
  end
  for key, position in pairs(positions) do
    redis.call('HSET', key, 'open_buy_quantity', decimal_text(position.BUY), 'open_sell_quantity', decimal_text(position.SELL))
  end
  for _, index in pairs(indexes) do write_index(index) end
end

-- Return the reply to the steps of a call from one argument on, nil when the engine has to say it, given what the header says.
local function close_many(at, last, latest_ns)
  local base, sides, expiry = string.sub(KEYS.book, 1, -5), CONSTANTS.SIDES, expiry_after(ARGV.closed_ttl)
  local events, documents, answers, ends, positions, indexes, size = {}, {}, {}, {}, {}, {}, 0
  repeat
    local _, to, id, request_id, ts_ns, text, stated, digest = unpack(ARGV, at, at + 7)
    if text ~= '' or stated ~= '' or digest ~= '' then return nil end
    local key, memory, entry = base .. 'order:' .. id, base .. 'applied:' .. id, 'request:' .. request_id
    local flat, limit, is_changed = plain_order(key, memory, entry)
    local from = flat and not ends[key] and can_end(flat, to, entry)
    if not from then return nil end
    local symbol, counted = flat[6], sides[flat[8]]
    local position = open_in(positions, base .. 'position:' .. symbol)
    local by_symbol, entered, left = index_of_key(indexes, base .. 'orders_by_symbol:' .. symbol),
      index_of_key(indexes, base .. 'orders_by_status:' .. to), index_of_key(indexes, base .. 'orders_by_status:' .. from)
    if not counted or not position or not by_symbol or not entered or not left then return nil end
    position[counted] = sum(position[counted], negative(sum(unsigned(flat[14]), negative(unsigned(flat[18])))))
    if is_less(position[counted], 0) then return nil end
    enter_index(by_symbol, id, expiry)
    enter_index(entered, id, expiry)
    leave_index(left, id)

    size = size + 1
    local number = integer_text(last + size)
    local remembered = number .. ' ' .. to .. '|'
    local written = set_end(flat, is_changed, to, integer_text(flat[22] + 1), ts_ns, entry, remembered)
    events[size], documents[size] = event_of_end(flat, limit, to, ts_ns, request_id)
    ends[size], ends[key] = { key = key, written = written, memory = is_changed and memory, entry = entry, remembered = remembered }, true
    answers[size] = { 'applied', number, table.concat(flat, '\n') }
    at = at + 11
  until not ARGV[at]
  return carry_out_all(last, latest_ns, events, documents, answers, nil, write_ends, ends, expiry, positions, indexes)
end
