-- Of the engine: the limits of a trader's orders, and the switch of trading. The hash of limits has a text for the trader, and
-- for each symbol with limits of its own: the largest order, notional and position, and orders per second, '-' where there is no
-- limit. Beside it is a second, and how many orders were let pass in it. The trader's text stays when it says nothing, so that
-- the hash of a trader who ever had limits is there, as the header says.
-- Uses changes/run, changes/ratio

local LIMIT_NAMES = CONSTANTS.LIMIT_NAMES
local NO_LIMITS = '- - - -'
local SWITCHES = CONSTANTS.TRADING

-- Return the fields of the limits of a symbol, and of the orders that they have let pass; of the trader's where the symbol is ''.
local function fields_of_limits(symbol)
  if symbol == '' then return 'trader', 'passed' end
  return 'symbol:' .. symbol, 'passed:' .. symbol
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

-- Read the limits of the trader and of a symbol, once.
local function load_limits(symbol)
  if limits and limits[symbol] then return end
  limits = limits or {}
  local field, counter = fields_of_limits(symbol)
  local whole, own = unpack(redis.call('HMGET', base .. 'limits', 'trader', field))
  if not whole and had_limits then
    -- The header says that there are limits, so they have not arrived here yet: the slot is migrating.
    error({ err = 'TRYAGAIN ' .. KEYS.book .. ' says that there are limits, which are not here' }, 0)
  end
  whole, own = whole or NO_LIMITS, own or NO_LIMITS
  limits[''] = limits[''] or { field = 'trader', counter = 'passed', now = parsed_limits('trader', whole) }
  limits[symbol] = limits[symbol] or { field = field, counter = counter, now = parsed_limits(field, own) }
end

-- Return how many orders some limits have let pass in a second.
local function passed_in(second, entry)
  if entry.second ~= second then
    local known, passed = string.match(redis.call('HGET', base .. 'limits', entry.counter) or '', '^(%d+) (%d+)$')
    entry.second, entry.passed = second, known == second and passed + 0 or 0
  end
  return entry.passed
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
      and (not was or is_less(magnitude(product(was, decimal(order.was_price))), notional)) then
      return 2, found[2], notional
    end
  end
  if raises and max_position and is_less(max_position, exposure) then return 3, max_position, exposure end
  if found[4] then
    local passed = passed_in(integer_text(math.floor(now_ms() / 1000)), entry) + 1
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

-- Count an order that the limits have let pass.
local function count_passed(symbol)
  for _, name in ipairs({ '', symbol }) do
    local entry = limits[name]
    if entry.now[4] then
      entry.passed = passed_in(integer_text(math.floor(now_ms() / 1000)), entry) + 1
      entry.has_passed = true
    end
  end
end

-- Write what the run has changed of limits, and how many orders they have let pass.
local function write_limits()
  local key = base .. 'limits'
  for symbol, entry in pairs(limits) do
    if entry.is_changed and symbol ~= '' and entry.now.text == NO_LIMITS then
      redis.call('HDEL', key, entry.field, entry.counter)
    elseif entry.is_changed then
      redis.call('HSET', key, entry.field, entry.now.text)
    end
    if entry.has_passed then
      redis.call('HSET', key, entry.counter, entry.second .. ' ' .. integer_text(entry.passed))
    end
  end
  if not had_limits and has_limits then redis.call('HSET', KEYS.book, 'limits', '1') end
end
