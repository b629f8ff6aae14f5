-- Of the engine: the limits of a trader's orders, and the switch of trading. The hash of limits has a text for the trader, and
-- for each symbol with limits of its own: the largest order, notional and position, and orders per second, '-' where there is no
-- limit. Beside a symbol's is a second, and how many orders were let pass in it. The trader's text stays when it says nothing, so
-- that the hash of a trader who ever had limits is there, as the header says. The header, which every change reads and writes,
-- has it too, and behind it '*' where a symbol has had limits, else '-', then the second and the number of orders of the trader.
-- Uses changes/run, changes/ratio

local LIMIT_NAMES = CONSTANTS.LIMIT_NAMES
local NO_LIMITS = '- - - -'
local SWITCHES = CONSTANTS.TRADING

-- Return the fields of the limits of a symbol, and of the orders that they have let pass; of the trader where the symbol is ''.
local function fields_of_limits(symbol)
  if symbol == '' then return 'trader', '' end
  return 'symbol:' .. symbol, 'passed:' .. symbol
end

-- Return the second of the server's clock, as text.
local function second_now()
  return redis.call('TIME')[1]
end

-- Return whether an order is within some limits for certain. Nearly all orders are of few digits and within limits of few digits,
-- which doubles tell.
local function is_within(most, notional, greatest, quantity, exposure, price)
  if most ~= '-' and (#most > 15 or quantity > (tonumber(most) or -1)) then return false end
  if greatest ~= '-' and (#greatest > 15 or exposure > (tonumber(greatest) or -1e16)) then return false end
  if notional == '-' then return true end
  if price == '' then return false end
  local limit, value = (tonumber(notional) or -1) * 0.999999, quantity * price -- near enough, if it is below for certain
  return value <= limit and -value <= limit
end

-- Return whether an order is within the limits of its symbol for certain, whether these limit the position, and where they limit
-- the orders per second, what is to be counted: an entry of `limits`.
local function own_when_within(symbol, quantity, exposure, price)
  if limits then return false end
  local field, counter = fields_of_limits(symbol)
  local whole, own, counted = unpack(redis.call('HMGET', base .. 'limits', 'trader', field, counter))
  if not whole then return false end
  if not own then return true end
  local order, notional, greatest, rate = string.match(own, '^(%S+) (%S+) (%S+) (%S+)$')
  if not order or not is_within(order, notional, greatest, quantity, exposure, price) then return false end
  if rate == '-' then return true, greatest ~= '-' end
  local second, passed = string.match(counted or '', '^(%d+) (%d+)$')
  local now = second_now()
  local count = second == now and passed + 1 or 1
  if count > (tonumber(rate) or 0) then return false end
  return true, greatest ~= '-', { field = field, counter = counter, second = now, passed = count, has_passed = true }
end

-- Return the header's text of limits after an order that is within all of them for certain, and what is to be counted of its
-- symbol's; nil where they have to be looked at one by one.
local function text_when_within(position, symbol, side, open, quantity, price)
  local held = position.quantity
  if trading or not has_limits or type(held) ~= 'number' or type(open) ~= 'number' or type(quantity) ~= 'number' then return nil end
  local exposure = SIDES[side] == 'BUY' and open + held or open - held
  local order, notional, greatest, rate, others, second, passed =
    string.match(has_limits, '^(%S+) (%S+) (%S+) (%S+) ([*-]) (%d+) (%d+)$')
  if not order then return nil end
  local own
  if others == '*' then
    local is_within_own, has_position
    is_within_own, has_position, own = RARE.own_when_within(symbol, quantity, exposure, price)
    if not is_within_own then return nil end
    if has_position then greatest = '-' end
  end
  if not is_within(order, notional, greatest, quantity, exposure, price) then return nil end
  if rate == '-' then return has_limits, own end
  local now = second_now()
  local count = second == now and passed + 1 or 1
  if count > (tonumber(rate) or 0) then return nil end
  return string.sub(has_limits, 1, -2 - #second - #passed) .. now .. ' ' .. integer_text(count), own
end

-- Return a limit as a decimal, nil where there is none. Note a problem with what is no limit.
local function limit_of(word, field, text)
  if word == '-' then return nil end
  if word and #word < 80 and string.find(word, '^%d+%.?%d*$') then return decimal(word) end
  problem = problem or { 'corrupt', base .. 'limits', field, text }
end

-- Return limits as a list, given their text.
local function parsed_limits(field, text)
  if text == NO_LIMITS then return { text = text } end
  local order, notional, position, rate = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
  return {
    limit_of(order, field, text), limit_of(notional, field, text), limit_of(position, field, text),
    limit_of(rate, field, text), text = text,
  }
end

-- Read the limits of the trader, and those of a symbol once.
local function load_limits(symbol)
  limits = limits or {}
  local counted = limits[symbol] or {}
  if not counted.now then
    local field, counter = fields_of_limits(symbol)
    local whole, own = unpack(redis.call('HMGET', base .. 'limits', 'trader', field))
    if not whole and had_limits then
      -- The header says that there are limits, so they have not arrived here yet: the slot is migrating.
      error({ err = 'TRYAGAIN ' .. KEYS.book .. ' says that there are limits, which are not here' }, 0)
    end
    counted.field, counted.counter, counted.now = field, counter, parsed_limits(field, own or NO_LIMITS)
    limits[symbol] = counted
  end
  local text, others, second, passed = string.match(has_limits or NO_LIMITS .. ' - 0 0', '^(.+) ([*-]) (%d+) (%d+)$')
  if not text then
    problem = problem or { 'corrupt', KEYS.book, 'limits', has_limits }
    text, others, second, passed = NO_LIMITS, '*', '0', '0'
  end
  local was = limits['']
  limits[''] = {
    field = 'trader', now = parsed_limits('trader', text), is_changed = was and was.is_changed,
    others = others, second = second, passed = passed + 0,
  }
end

-- Return how many orders some limits have let pass in a second.
local function passed_in(second, entry)
  if entry.second ~= second then
    local known, passed
    if entry.counter then
      known, passed = string.match(redis.call('HGET', base .. 'limits', entry.counter) or '', '^(%d+) (%d+)$')
    end
    entry.second, entry.passed = second, known == second and passed + 0 or 0
  end
  return entry.passed
end

-- Write into the header's text what has become of the trader's limits.
local function note_limits()
  local whole = limits['']
  has_limits = whole.now.text .. ' ' .. whole.others .. ' ' .. whole.second .. ' ' .. integer_text(whole.passed)
end

-- Return what a position holds, of which only a part may have been read.
local function held_in(position)
  if not position.quantity then
    position.quantity = signed_in({
      key = position.key, flat = { redis.call('HGET', position.key, 'quantity') or nil }, at = { quantity = 1 },
    }, 'quantity')
  end
  return position.quantity
end

-- Return the exact notional of an order, nil when it is below a limit for certain: a product of doubles is enough to know.
local function notional_near(limit, quantity, price)
  if math.abs(decimal_text(quantity) * price) < decimal_text(limit) * 0.999999 then return nil end
  return magnitude(product(quantity, decimal(price)))
end

-- Return the first of some limits that an order would pass: its number, its value, and what it would become; nil for none. Of a
-- replace that raises neither the quantity nor the notional, only the orders per second are looked at.
local function passed_limit(entry, max_position, exposure, order)
  local found, quantity, was = entry.now, order.quantity, order.was
  local raises = not was or is_less(was, quantity)
  if raises and found[1] and is_less(found[1], quantity) then return 1, found[1], quantity end
  if found[2] and order.price == '' then
    if raises then return 2, found[2], nil end
  elseif found[2] then
    local notional = notional_near(found[2], quantity, order.price)
    if notional and is_less(found[2], notional)
      and (not was or order.was_price == '' or is_less(magnitude(product(was, decimal(order.was_price))), notional)) then
      return 2, found[2], notional
    end
  end
  if raises and max_position and is_less(max_position, exposure) then return 3, max_position, exposure end
  if found[4] then
    local passed = passed_in(second_now(), entry) + 1
    if is_less(found[4], passed) then return 4, found[4], passed end
  end
end

-- Return why an order must not be placed or replaced, nil when it may be: {'halted', switch}, {'beyond', limit, symbol, value,
-- what it would become, position, open}, or a problem. What makes the position smaller passes every limit.
-- position    loaded by load_open
-- open        what will be open of the trader's orders on this side
-- order       its quantity and price afterwards, the price as text, '' for none; of a replace also what they were
local function limit_refusal(position, symbol, side, open, order)
  if trading and not SWITCHES[trading] then return { 'corrupt', KEYS.book, 'trading', trading } end
  if trading == CONSTANTS.HALTED then return { 'halted', trading } end
  local held = held_in(position)
  if has_limits then load_limits(symbol) end
  if problem then return problem end
  local exposure = sum(SIDES[side] == 'BUY' and held or negative(held), open)
  if not is_less(magnitude(held), magnitude(exposure)) then return nil end
  if trading then return { 'halted', trading } end
  if not has_limits then return nil end
  local own, whole, whose = limits[symbol], limits[''], symbol
  local max_position = own.now[3]
  local at, value, asked = passed_limit(own, max_position, exposure, order)
  if not at then
    at, value, asked = passed_limit(whole, not max_position and whole.now[3], exposure, order)
    whose = ''
  end
  if not at then return nil end
  return {
    'beyond', LIMIT_NAMES[at], whose, decimal_text(value), asked and decimal_text(asked) or '', decimal_text(held),
    decimal_text(open),
  }
end

-- Return the refusal of an order or a replace for a limit or by the switch, nil when it may be made, and plan its event where
-- the desk asks for that. A refused unit writes nothing, so it has none.
-- entry       fields and values of the event, from the time on; without those that say why
-- See limit_refusal for the others.
local function recorded_limit_refusal(position, symbol, side, open, order, entry)
  local refused = limit_refusal(position, symbol, side, open, order)
  if not refused or refused[1] == 'corrupt' or ARGV.record_refusals == '' or ARGV.mode == 'all' then return refused end
  local kind, limit, whose, value, asked, held, working = unpack(refused)
  local said = kind == 'halted' and { trading = limit } or {
    limit = limit, symbol = whose ~= '' and whose or nil, value = value, asked = asked ~= '' and asked or nil,
    position = held, open = working,
  }
  local event = { 'writer', ARGV.writer, 'count', ARGV.count, 'type', 'LIMIT_REFUSED' }
  for i = 1, #entry do event[6 + i] = entry[i] end
  event[#event + 1], event[#event + 2] = 'reason', order.was and '2' or kind == 'halted' and '0' or '3' -- FIX tags 102 and 103
  event[#event + 1], event[#event + 2] = 'refused', (string.gsub(cjson.encode(said), '\\/', '/'))
  append(event, false, '')
  return refused
end

-- Count an order that the limits have let pass, after they were looked at one by one.
local function count_passed(symbol)
  for _, name in ipairs({ '', symbol }) do
    local entry = limits[name]
    if entry.now[4] then
      entry.passed = passed_in(second_now(), entry) + 1
      entry.has_passed = true
    end
  end
  note_limits()
end

-- Write what the run has changed of limits, and how many orders those of symbols have let pass.
local function write_limits()
  local key = base .. 'limits'
  for symbol, entry in pairs(limits) do
    if entry.is_changed and symbol ~= '' and entry.now.text == NO_LIMITS then
      redis.call('HDEL', key, entry.field, entry.counter)
    elseif entry.is_changed then
      redis.call('HSET', key, entry.field, entry.now.text)
    end
    if entry.has_passed and symbol ~= '' then
      redis.call('HSET', key, entry.counter, entry.second .. ' ' .. integer_text(entry.passed))
    end
  end
end
