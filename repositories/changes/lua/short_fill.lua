-- Fill orders of one trader in the shortest way: open orders, each named by its own id, that have been filled at most, by executions
-- that are not known and go into one position without fees and a multiplier, in a call of which nothing is lost or sent again. For all
-- else the engine follows in this script; it is built only when it is called, and decides anew: nothing has been written then.
-- Uses changes/short_way, changes/plain_order, changes/cost, changes/expiring_index, changes/lifetimes, changes/totals
-- KEYS book
--      events
--      positions
--      lock
--      step_keys...
-- Touches the positions of the orders' symbols, and the indexes of symbols and statuses
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
--      steps...          each 'fill', and what its function unpacks
-- Returns what the engine returns

local SIDES = CONSTANTS.SIDES
local SHORT, LONGEST = 48, 18 -- bytes of what is remembered in an order, and of numbers

local base = string.sub(KEYS.book, 1, -5)
local positions, indexes = {}, {} -- by symbol and by key

-- Return a position, nil for one that has more fields than trades give it, or a number that the engine has to look at.
local function plain_position(symbol)
  local key = base .. 'position:' .. symbol
  local flat = redis.pcall('HGETALL', key)
  if flat[2] ~= ARGV.trader or flat[4] ~= symbol or flat[1] ~= 'trader' or flat[3] ~= 'symbol' or flat[5] ~= 'quantity'
    or flat[7] ~= 'bought_quantity' or flat[9] ~= 'sold_quantity' or flat[11] ~= 'bought_notional' or flat[13] ~= 'sold_notional'
    or flat[15] ~= 'version' or flat[17] ~= 'open_cost' or flat[19] ~= 'realized_profit' or flat[21] ~= 'open_buy_quantity'
    or flat[23] ~= 'open_sell_quantity' then
    return nil
  end
  for i = 25, #flat, 2 do
    if flat[i] ~= 'updated_ns' and flat[i] ~= 'limits' then return nil end
  end
  local position = {
    key = key, flat = flat, quantity = short_decimal(flat[6]), bought_quantity = short_decimal(flat[8]),
    sold_quantity = short_decimal(flat[10]), bought_notional = short_decimal(flat[12]), sold_notional = short_decimal(flat[14]),
    version = unsigned(flat[16]), open_cost = short_decimal(flat[18]), realized_profit = short_decimal(flat[20]),
    BUY = unsigned(flat[22]), SELL = unsigned(flat[24]),
  }
  if not (position.quantity and position.bought_quantity and position.sold_quantity and position.bought_notional
    and position.sold_notional and type(position.version) == 'number' and position.open_cost and position.realized_profit
    and position.BUY and position.SELL) then
    return nil
  end
  positions[symbol] = position
  return position
end

-- Return an index, nil where it cannot be written. Nothing of most of them expires.
local function plain_index(name)
  local key = base .. name
  local index = indexes[key]
  if index then return index end
  local expiring = redis.pcall('ZCOUNT', key, '-inf', '(inf')
  index = expiring == 0 and { key = key } or type(expiring) == 'number' and RARE.read_index(key) or nil
  indexes[key] = index
  return index
end

-- Plan that an order leaves the open ones, and return when it expires; nil where an index cannot be written.
local function plan_end(id, symbol)
  local by_symbol, by_status, expiry = plain_index('orders_by_symbol:' .. symbol), plain_index('orders_by_status:FILLED'),
    expiry_after(ARGV.closed_ttl)
  if not by_symbol or not by_status then return nil end
  enter_index(by_symbol, id, expiry)
  enter_index(by_status, id, expiry)
  return expiry
end

-- Let an order and what is remembered beside it expire.
local function expire_order(one)
  expire_at(one.key, one.expiry)
  if one.memory then expire_at(one.memory, one.expiry) end
end

-- Make a position what a trade makes of it; return whether the engine need not do that.
local function trade(position, counted, quantity, amount, ts_ns)
  local buys, flat = counted == 'BUY', position.flat
  local at = buys and 8 or 10
  local traded, paid = flat[at - 1], flat[at + 3]
  local held = sum(position.quantity, buys and quantity or negative(quantity))
  local traded_after, paid_after = sum(position[traded], quantity), sum(position[paid], amount)
  local open = sum(position[counted], negative(quantity))
  local cost, realized = cost_after_trade(position, buys, quantity, amount, position[paid], paid_after)
  if is_less(open, 0) then return false end
  if realized ~= position.realized_profit then flat[20] = decimal_text(realized) end
  position.quantity, position[traded], position[paid], position[counted] = held, traded_after, paid_after, open
  position.open_cost, position.realized_profit, position.version = cost, realized, position.version + 1
  flat[6], flat[at], flat[at + 4], flat[16] = decimal_text(held), decimal_text(traded_after), decimal_text(paid_after),
    integer_text(position.version)
  flat[18], flat[buys and 22 or 24] = decimal_text(cost), decimal_text(open)
  flat[25], flat[26] = 'updated_ns', ts_ns
  -- What is longer may have more digits than are stored.
  return #flat[6] <= LONGEST and #flat[at] <= LONGEST and #flat[at + 4] <= LONGEST and #flat[18] <= LONGEST and #flat[20] <= LONGEST
end

-- Decide the fill at a place of the arguments, whose event gets a number. Return the order's key, what is written into the order, the
-- key of what is remembered beside it, nil for nothing, when it expires, nil for never, its event with its JSON, and the answer; nil
-- when the engine has to decide it.
local function decide(at, number)
  local id, exec_id, quantity_text, price, notional, ts_ns, stated, details, own = unpack(ARGV, at, at + 8)
  local entry = 'fill:' .. exec_id
  if stated ~= '' or own ~= '' or details ~= '' and details ~= '!' or #entry > SHORT or #quantity_text + #price > 24 then return nil end
  local key, memory = base .. 'order:' .. id, base .. 'applied:' .. id
  local flat, limit, is_changed = plain_order(key, memory, entry)
  if not flat then return nil end
  local symbol, side, from = flat[6], flat[8], flat[16]
  local counted, position = SIDES[side], positions[symbol] or plain_position(symbol)
  if not counted or not position or from ~= 'NEW' and from ~= 'PARTIALLY_FILLED' then return nil end
  local ordered, filled, paid, version = unsigned(flat[14]), unsigned(flat[18]), short_decimal(flat[20]), unsigned(flat[22])
  if not ordered or ordered == 0 or not filled or not paid or type(version) ~= 'number' then return nil end
  local quantity, amount, is_first = decimal(quantity_text), decimal(notional), paid == 0
  filled, paid = sum(filled, quantity), sum(paid, amount)
  if is_less(ordered, filled) or not trade(position, counted, quantity, amount, ts_ns) then return nil end

  local to, expiry = is_less(filled, ordered) and 'PARTIALLY_FILLED' or 'FILLED', nil
  if to ~= from then
    local left, entered = plain_index('orders_by_status:' .. from), plain_index('orders_by_status:' .. to)
    if not left or not entered then return nil end
    leave_index(left, id)
    if to == 'FILLED' then
      expiry = RARE.plan_end(id, symbol)
      if not expiry then return nil end
    else
      enter_index(entered, id, 'inf')
    end
  end

  filled, paid, version = decimal_text(filled), decimal_text(paid), integer_text(version + 1)
  if #filled > LONGEST or #paid > LONGEST then return nil end
  flat[16], flat[18], flat[20], flat[22] = to, filled, paid, version
  local remembered, written = number .. ' ' .. quantity_text .. ' ' .. price .. '|', nil
  set_changed(flat, is_changed, ts_ns, entry, remembered)
  if is_changed then
    written = { 'status', to, 'filled_quantity', filled, 'filled_notional', paid, 'version', version, 'updated_ns', ts_ns }
  else
    written = {
      'status', to, 'filled_quantity', filled, 'filled_notional', paid, 'version', version, 'updated_ns', ts_ns, entry, remembered,
    }
  end
  local held = position.flat
  local totals = version .. ' ' .. (is_first and '' or paid) .. ' ' .. totals_of(held)
  local event, document
  if limit == '' then
    event = {
      'writer', ARGV.writer, 'count', ARGV.count, 'type', 'TRADE', 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
      'status', to, 'quantity', flat[14], 'filled_quantity', filled, 'exec_id', exec_id, 'last_quantity', quantity_text,
      'last_price', price, 'position_quantity', held[6], 'totals', totals,
    }
  else
    event = {
      'writer', ARGV.writer, 'count', ARGV.count, 'type', 'TRADE', 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
      'status', to, 'quantity', flat[14], 'price', limit, 'filled_quantity', filled, 'exec_id', exec_id, 'last_quantity',
      quantity_text, 'last_price', price, 'position_quantity', held[6], 'totals', totals,
    }
    limit = '","price":"' .. limit
  end
  document = not string.find(symbol .. id .. exec_id, '["\\]') and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"'
    .. id .. '","side":"' .. side .. '","status":"' .. to .. '","quantity":"' .. flat[14] .. limit .. '","filled_quantity":"' .. filled
    .. '","exec_id":"' .. exec_id .. '","last_quantity":"' .. quantity_text .. '","last_price":"' .. price
    .. '","position_quantity":"' .. held[6]
  local answer = { 'applied', number, '0', table.concat(flat, '\n'), table.concat(held, '\n', 1, 26) }
  return {
    key = key, written = written, memory = is_changed and memory or nil, entry = entry, remembered = remembered, expiry = expiry,
    event = event, document = document, answer = answer,
  }
end

-- Write what was decided, but the first event.
local function write(last, fills, events, latest_ns)
  for i = 2, #events do
    redis.call('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, integer_text(last + i) .. '-0', unpack(events[i]))
  end
  for i = 1, #fills do
    local one = fills[i]
    redis.call('HSET', one.key, unpack(one.written))
    if one.memory then redis.call('HSET', one.memory, one.entry, one.remembered) end
    if one.expiry then RARE.expire_order(one) end
  end
  for _, position in pairs(positions) do redis.call('HSET', position.key, unpack(position.flat, 5, 26)) end
  for _, index in pairs(indexes) do write_index(index) end
  redis.call('HSET', KEYS.book, 'sequence', integer_text(last + #events), 'writer', ARGV.writer, 'count', ARGV.count, 'latest_ns', latest_ns)
end

-- Return the reply, nil when the engine has to say it.
local function fill()
  if ARGV.fence ~= '' or ARGV.earlier ~= '' or ARGV.expected ~= '' then return nil end
  local format, sequence, writer, count, latest_ns =
    unpack(redis.pcall('HMGET', KEYS.book, 'format', 'sequence', 'writer', 'count', 'latest_ns'))
  local last = plain_last(format, sequence, writer, count, latest_ns)
  if not last then return nil end
  local fills, events, documents, reply, known, size, at = {}, {}, {}, { '', '' }, {}, 0, FIRST.steps
  repeat
    local one = decide(at + 1, integer_text(last + size + 1))
    if not one or known[one.key] then return nil end
    size = size + 1
    fills[size], events[size], documents[size], reply[size + 2], known[one.key] = one, one.event, one.document, one.answer, true
    latest_ns = later_of(latest_ns, one.event[8])
    at = at + 10
  until not ARGV[at]

  local added = redis.pcall('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, integer_text(last + 1) .. '-0', unpack(events[1]))
  if type(added) == 'table' then return nil end
  local went_well, failed = pcall(write, last, fills, events, latest_ns)
  if not went_well then return { 'unfinished', type(failed) == 'table' and failed.err or tostring(failed) } end
  publish(KEYS.events, ARGV.trader, last, events, documents, ARGV.channels)
  reply[2] = integer_text(last + size) .. ' ' .. ARGV.writer .. ' ' .. ARGV.count
  return reply
end

local reply = fill()
if reply then return reply end
