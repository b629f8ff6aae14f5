-- Of the engine: replaces of one call in a short way: several are decided one after the other, and a position is read and
-- written once. It leaves to the engine whatever it does not expect, before anything is written.
-- Uses changes/short_way, changes/plain_order, changes/replaced_order, changes/decimals, changes/open_quantities, changes/within_limits

-- Return what is open of a symbol's orders, as far as orders and limits need it; nil for what the engine has to look at.
local function open_in(base, symbol, marker)
  local key = base .. 'position:' .. symbol
  local buy, sell, _, held, own = read_open(key, marker)
  buy, sell = buy and unsigned(buy), sell and unsigned(sell)
  if not buy or not sell then return nil end
  return { key = key, BUY = buy, SELL = sell, quantity = short_quantity(held), limits = own, changes = {} }
end

-- Return what is open on a side of a position after an order of a quantity has got another, all of few digits; nil where the order
-- would not be open, or the position says less.
local function open_after_replace(open, quantity, was, filled)
  if not (is_less(filled, was) and is_less(filled, quantity)) then return nil end
  open = sum(open, sum(quantity, negative(was)))
  return not is_less(open, 0) and open or nil
end

-- Return the same of one that is given as text, and its quantity, as decimals; nil also where one, or what is open on the other side, has
-- more digits than a few.
local function open_after_few(open, other, quantity, was, filled)
  open, quantity, was, filled = unsigned(open), unsigned(quantity), unsigned(was), unsigned(filled)
  if not open or not unsigned(other) or not quantity or not was or not filled then return nil end
  return open_after_replace(open, quantity, was, filled), quantity
end

-- Write orders, what is remembered of them, and positions.
local function write_replaces(replaces, books)
  for i = 1, #replaces, 3 do
    redis.call('HSET', replaces[i], unpack(replaces[i + 1]))
    redis.call('HSET', unpack(replaces[i + 2]))
  end
  for _, position in pairs(books) do
    local fields = {}
    for name, value in pairs(position.changes) do fields[#fields + 1], fields[#fields + 2] = name, value end
    if fields[1] then redis.call('HSET', position.key, unpack(fields)) end
  end
end

-- Return the reply to the steps of a call from one argument on, nil when the engine has to say it, given what the header says.
local function replace_many(at, last, latest_ns, had_marker)
  local base, marker, sides, size = string.sub(KEYS.book, 1, -5), had_marker, CONSTANTS.SIDES, 0
  local events, documents, answers, replaces, books, known = {}, {}, {}, {}, {}, {}
  repeat
    local _, verb, id, request_id, quantity_text, price, stop_price, revision, ts_ns, text, stated, digest = unpack(ARGV, at, at + 11)
    if verb ~= 'REPLACED' or stop_price .. revision .. text .. stated .. digest ~= '' or known[id] then return nil end
    local key, memory, entry = base .. 'order:' .. id, base .. 'applied:' .. id, 'request:' .. request_id
    local flat = stored_order(key)
    if not flat or redis.pcall('HGET', memory, entry) then return nil end
    local symbol, counted, was_text, filled_text = flat[6], sides[flat[8]], flat[14], flat[18]
    local position = books[symbol] or open_in(base, symbol, marker)
    local was, filled, asked = unsigned(was_text), unsigned(filled_text), quantity_text ~= '' and quantity_text or was_text
    local quantity = unsigned(asked)
    if not position or not counted or not was or not filled or not quantity
      or flat[16] ~= (filled == 0 and 'NEW' or 'PARTIALLY_FILLED') then
      return nil
    end
    local open, number = open_after_replace(position[counted], quantity, was, filled), integer_text(last + size + 1)
    local changes, remembered, event, document, value, answer =
      replaced(flat, number, id, request_id, asked, quantity_text, price, ts_ns)
    if not open or not changes then return nil end
    if marker then
      local passed
      marker, passed = limits_when_within(marker, position.limits, position.quantity, counted, open, quantity, value)
      if not marker then return nil end
      if passed then position.limits, position.changes.limits = passed, passed end
    end
    position[counted], books[symbol], known[id] = open, position, true
    position.changes[counted == 'BUY' and 'open_buy_quantity' or 'open_sell_quantity'] = decimal_text(open)
    local place = size * 3
    replaces[place + 1], replaces[place + 2], replaces[place + 3] = key, changes, { memory, entry, remembered }
    size = size + 1
    events[size], documents[size], answers[size] = event, document, answer
    at = at + 16
  until not ARGV[at]
  return carry_out_all(last, latest_ns, events, documents, answers, marker ~= had_marker and marker or nil, write_replaces, replaces, books)
end
