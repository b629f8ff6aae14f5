-- Of the engine: new orders of one call in a short way, and one that has more than nearly all: several orders are decided one after the
-- other, and what they share is read and written once. It leaves to the engine whatever it does not expect, before anything is written.
-- Uses changes/short_way, changes/plain_order, changes/new_order, changes/open_quantities, changes/within_limits, changes/expiring_index, changes/records

local MOST_VALUES = 4000 -- that a command is given: more may not fit the stack of the server's Lua

-- Return an index some of whose entries expire, given their number, or the error of counting them; nil for an error.
local function index_to_clean(key, expiring)
  return type(expiring) == 'number' and read_index(key) or nil
end

-- Add an open order to an index some of whose entries expire.
local function add_to(index, id)
  enter_index(index, id, 'inf')
  write_index(index)
end

-- Return an index that can be written, nil for another key; `lowest` is nil where no entry expires.
local function plain_index(key)
  local expiring = redis.pcall('ZCOUNT', key, '-inf', '(inf')
  if expiring == 0 then return { key = key } end
  return RARE.index_to_clean(key, expiring)
end

-- Return a symbol's position with what orders need of it, nil where it is not there, or the engine has to look at it.
local function plain_position(base, symbol, marker)
  local key = base .. 'position:' .. symbol
  local buy, sell, multiplier, quantity, own = read_open(key, marker)
  if not buy or not sell or multiplier then return nil end
  local record = { key = key, flat = { buy, sell }, at = { open_buy_quantity = 1, open_sell_quantity = 2 } }
  return {
    key = key, BUY = total_in(record, 'open_buy_quantity'), SELL = total_in(record, 'open_sell_quantity'), limits = own,
    quantity = short_quantity(quantity), index = not problem and plain_index(base .. 'orders_by_symbol:' .. symbol),
  }
end

-- Return what is open on a side after an order, and the order's quantity, as decimals; nil for what may be too large.
local function open_with(was, quantity)
  local amount = decimal(quantity)
  local open = sum(was, amount)
  if type(open) ~= 'number' and #open > CONSTANTS.TOTAL_DIGITS then return nil end
  return open, amount
end

-- Return what is open on a side after an order, as a decimal, where what is open on either side has few digits; nil for all else.
local function open_with_few(was, other, quantity)
  was = unsigned(was)
  return was and unsigned(other) and sum(was, decimal(quantity)) or nil
end

-- Write orders, positions, and indexes.
local function write_many(records, books, lists)
  for i = 1, #records do redis.call('HSET', records[i], unpack(records[records[i]])) end
  for _, position in pairs(books) do
    local buy, sell = decimal_text(position.BUY), decimal_text(position.SELL)
    if position.counted then
      redis.call('HSET', position.key, 'open_buy_quantity', buy, 'open_sell_quantity', sell, 'limits', position.counted)
    else
      redis.call('HSET', position.key, 'open_buy_quantity', buy, 'open_sell_quantity', sell)
    end
    write_index(position.index)
  end
  for _, index in pairs(lists) do write_index(index) end
end

-- Return the reply to the steps of a call from one argument on, nil when the engine has to say it, given what the header says.
local function place_many(at, last, latest_ns, had_marker)
  local base, marker, sides = string.sub(KEYS.book, 1, -5), had_marker, CONSTANTS.SIDES
  local events, documents, answers, records, books, lists, size = {}, {}, {}, {}, {}, {}, 0
  repeat
    local _, id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest, reference, terms, status, own =
      unpack(ARGV, at, at + 15)
    local key, own_digest, own_names, own_json = base .. 'order:' .. id, '', '', nil
    if records[key] or redis.pcall('EXISTS', key, base .. 'alias:' .. id) ~= 0 then return nil end
    if own ~= '' then own_digest, own_names, own_json = own_parts(own) end
    if own_names ~= '' or terms ~= '' and not are_plain(terms) then return nil end
    local position, by_status = books[symbol], lists[status]
    if not position then
      position = plain_position(base, symbol, marker)
      if not position or not position.index then return nil end
      books[symbol] = position
    end
    if not by_status then
      by_status = plain_index(base .. 'orders_by_status:' .. status)
      if not by_status then return nil end
      lists[status] = by_status
    end
    local counted = sides[side]
    local open, amount = open_with(position[counted], quantity)
    if not open then return nil end
    if marker then
      local passed
      marker, passed = limits_when_within(marker, position.limits, position.quantity, counted, open, amount,
        price ~= '' and price or reference ~= '' and reference or stop_price)
      if not marker then return nil end
      if passed then position.limits, position.counted = passed, passed end
    end

    local flat = fields_of_new(id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest .. own_digest,
      reference, status)
    local event, document = event_of_new(id, symbol, side, quantity, price, text, ts_ns, status)
    if terms ~= '' or own_json then
      add_more(flat, event, terms, own_json)
      document = false
    end
    if #flat > MOST_VALUES then return nil end
    position[counted], size = open, size + 1
    events[size], documents[size], answers[size] = event, document, { 'applied', integer_text(last + size) }
    records[size], records[key] = key, flat
    enter_index(position.index, id, 'inf')
    enter_index(by_status, id, 'inf')
    at = at + 16
  until not ARGV[at]
  return carry_out_all(last, latest_ns, events, documents, answers, marker ~= had_marker and marker or nil, write_many, records, books, lists)
end
