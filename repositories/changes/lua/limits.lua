-- Of the engine: the limits of a trader's orders, and the switch of trading. The hash of limits has a text for the trader, and
-- for each symbol with limits of its own: the largest order, notional and position, and orders per second, '-' where there is no
-- limit. The trader's text stays when it says nothing, so that the hash of a trader who ever had limits is there, as the header
-- says. What nearly every order needs of them lies as doubles beside what it reads anyway, a symbol's in its position:
--   second, passed    of the server's clock, and how many orders were let pass in it
--   rate              orders per second
--   change            the number of the event that last changed the limits of any symbol
--   order, notional, position    only where one of them is set
-- In the header are the trader's in the same order, where there are some, but for the change, which is last, once a symbol has had
-- limits; '+' behind it says that a symbol may limit its position. A position's doubles count where their change is the header's;
-- an order that finds others writes them anew. No limit is infinity, one of more digits than a double holds for certain is -1,
-- which lets nothing pass for certain, and the notional is lowered, so that a product of doubles up to it is within the limit.
-- Uses changes/run, changes/ratio, changes/within_limits

local LIMIT_NAMES = CONSTANTS.LIMIT_NAMES
local NO_LIMITS = '- - - -'
local SWITCHES = CONSTANTS.TRADING

-- Return the second of the server's clock.
local function second_now()
  return redis.call('TIME')[1] + 0
end

-- Return the double that stands for a limit, given its text.
local function double_of(text)
  if text == '-' then return UNLIMITED end
  return text and #text < 16 and tonumber(text) or -1
end

-- Return a second, and the orders that were let pass in it, as a text of doubles has them; zeros for one that has none.
local function counts_in(doubles)
  if not doubles or #doubles < 24 then return 0, 0 end
  local second, passed = struct.unpack('<dd', doubles)
  return second, passed
end

-- Return limits as doubles, given their text: the trader's, or a symbol's with the change.
local function doubles_of(text, second, passed, change)
  local order, notional, greatest, rate = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
  if not change and text == NO_LIMITS then return '' end
  local first = struct.pack('<ddd', second, passed, double_of(rate)) .. (change and struct.pack('<d', change) or '')
  if order == '-' and notional == '-' and greatest == '-' then return first end
  return first .. struct.pack('<ddd', double_of(order), double_of(notional) * 0.999999, double_of(greatest))
end

-- Return a limit as a decimal, nil where there is none. Note a problem with what is no limit.
local function limit_of(word, field, text)
  if word == '-' then return nil end
  if word and #word < 80 and string.find(word, '^%d+%.?%d*$') then return decimal(word) end
  problem = problem or { 'corrupt', base .. 'limits', field, text }
end

-- Return limits as a list, given their text, which a problem goes with.
local function parsed_limits(field, text)
  if text == NO_LIMITS then return { text = text } end
  local others = problem
  problem = nil
  local order, notional, position, rate = string.match(text, '^(%S+) (%S+) (%S+) (%S+)$')
  local found = {
    limit_of(order, field, text), limit_of(notional, field, text), limit_of(position, field, text),
    limit_of(rate, field, text), text = text,
  }
  found.problem, problem = problem, others
  return found
end

-- Read the limits of the trader and of a symbol, '' for none, each once, and note a problem with one that cannot be used.
local function load_limits(symbol)
  limits = limits or {}
  if not limits[symbol] then
    local field = symbol ~= '' and 'symbol:' .. symbol
    local whole, own = unpack(redis.call('HMGET', base .. 'limits', 'trader', field or 'trader'))
    if not whole and had_limits then
      -- The header says that there are limits, so they have not arrived here yet: the slot is migrating.
      error({ err = 'TRYAGAIN ' .. KEYS.book .. ' says that there are limits, which are not here' }, 0)
    end
    limits[''] = limits[''] or { field = 'trader', now = parsed_limits('trader', whole or NO_LIMITS) }
    if field then limits[symbol] = { field = field, now = parsed_limits(field, own or NO_LIMITS) } end
  end
  problem = problem or limits[''].now.problem or limits[symbol].now.problem
end

-- Return what the header says behind the trader's limits: the number of the event that last changed those of a symbol, nil for
-- none, false where the header cannot be read; and whether a symbol may limit its position.
local function change_in_header()
  local size = has_limits and #has_limits or 0
  local behind = size % 24
  if size > 57 or behind ~= 0 and behind ~= 8 and behind ~= 9 then return false, true end
  if behind == 0 then return nil, false end
  return struct.unpack('<d', has_limits, size - behind + 1), behind == 9
end

-- Return the header's text of limits when so many orders have been let pass in a second, given what it says behind that.
local function marker_of(second, passed, change, has_position)
  return doubles_of(limits[''].now.text, second, passed) .. (change and struct.pack('<d', change) or '') .. (has_position and '+' or '')
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

-- Return a symbol's limits as its position has them in doubles, nil where it does not.
local function doubles_in(position)
  if position.limits == nil and not position.is_new then
    position.limits = redis.call('HGET', position.key, 'limits')
  end
  return position.limits or nil
end

-- Return how many orders have been let pass in this second, as a text of doubles has it, and the second.
local function passed_now(doubles)
  local now = second_now()
  local second, passed = counts_in(doubles)
  return second == now and passed or 0, now
end

-- Return the first of some limits that an order would pass: its number, its value, and what it would become; nil for none. Of a
-- replace that raises neither the quantity nor the notional, only the orders per second are looked at.
local function passed_limit(found, doubles, max_position, exposure, order)
  local quantity, was = order.quantity, order.was
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
    local passed = passed_now(doubles) + 1
    if is_less(found[4], passed) then return 4, found[4], passed end
  end
end

-- Note a problem with a header that says other limits than the trader has.
local function check_marker()
  local second, passed = counts_in(has_limits)
  local change, has_position = change_in_header()
  if marker_of(second, passed, change, has_position) ~= has_limits then
    problem = { 'corrupt', KEYS.book, 'limits', has_limits }
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
  if has_limits then
    load_limits(symbol)
    doubles_in(position)
    if not problem then check_marker() end
  end
  if problem then return problem end
  local exposure = sum(SIDES[side] == 'BUY' and held or negative(held), open)
  if not is_less(magnitude(held), magnitude(exposure)) then return nil end
  if trading then return { 'halted', trading } end
  if not has_limits then return nil end
  local own, whole, whose = limits[symbol].now, limits[''].now, symbol
  local max_position = own[3]
  local at, value, asked = passed_limit(own, doubles_in(position), max_position, exposure, order)
  if not at then
    at, value, asked = passed_limit(whole, has_limits, not max_position and whole[3], exposure, order)
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

-- Count an order that the limits have let pass, after they were looked at one by one, and write a symbol's beside its position,
-- which the next order finds.
local function count_passed(position, symbol)
  local whole, own, doubles = limits[''].now, limits[symbol].now, doubles_in(position)
  local change, has_position = change_in_header()
  local second, passed = counts_in(has_limits)
  if whole[4] then
    passed, second = passed_now(has_limits)
    passed = passed + 1
  end
  has_limits = marker_of(second, passed, change, has_position)
  if not change then return end
  second, passed = counts_in(doubles)
  if own[4] then
    passed, second = passed_now(doubles)
    passed = passed + 1
  end
  position.limits = doubles_of(own.text, second, passed, change)
  position.counted = position.limits
end

-- Write what the run has changed of limits.
local function write_limits()
  local key = base .. 'limits'
  for symbol, entry in pairs(limits) do
    if entry.is_changed and symbol ~= '' and entry.now.text == NO_LIMITS then
      redis.call('HDEL', key, entry.field)
    elseif entry.is_changed then
      redis.call('HSET', key, entry.field, entry.now.text)
    end
  end
end
