-- Shared: what a position's open quantity has cost, by moving average. The open cost has the sign of the quantity at ordinary
-- prices: what was paid for a long position, minus what was received for a short one. Whatever is taken off it is realized, so
-- that realized profit - open cost - cash stays the same to the last digit.
-- Uses changes/ratio

local LEAST_PLACES, MOST_PLACES = CONSTANTS.LEAST_COST_PLACES, CONSTANTS.MOST_PLACES
local BILLION, EXACT_BELOW = 1000000000, 9007199254740992 -- parts of a unit at the least places of a cost

-- Return how many places a decimal has behind its point.
local function places_behind(value)
  local point = type(value) == 'string' and string.find(value, '.', 1, true)
  return point and #value - point or 0
end

-- Return the open cost after a trade in the direction that makes a position smaller: its share of the cost goes, the last one
-- takes all of it, and what goes through zero is opened at the price of the trade.
local function cost_of_smaller(cost, held, buys, quantity, notional)
  local size = magnitude(held)
  if is_less(quantity, size) then
    local places = math.max(LEAST_PLACES, places_behind(cost), places_behind(notional))
    return sum(cost, negative(share_of(cost, quantity, size, places)))
  end
  local opened = sum(quantity, negative(size))
  if opened == 0 then return 0 end
  opened = share_of(notional, opened, quantity, MOST_PLACES)
  return buys and opened or negative(opened)
end

-- Return a decimal as whole units and billionths of one, both with its sign; nil for one that has more digits than that.
local function billionths(value)
  if value + 0 == value then return value, 0 end
  local point = string.find(value, '.', 1, true)
  if not point or point > 16 or #value - point > 9 then return nil end
  local units, parts = string.sub(value, 1, point - 1) + 0, string.sub(value, point + 1) * 10 ^ (9 - #value + point)
  return units, string.byte(value) == 45 and -parts or parts
end

-- Return the decimal of whole units and billionths, whose signs may differ.
local function decimal_of_billionths(units, parts)
  local carry = math.floor(parts / BILLION)
  units, parts = units + carry, parts - carry * BILLION
  if parts == 0 then return units < 1e15 and units > -1e15 and units or integer_text(units) end
  local sign, places = '', 9
  if units < 0 then sign, units, parts = '-', -units - 1, BILLION - parts end
  while parts % 10 == 0 do parts, places = parts / 10, places - 1 end
  return sign .. integer_text(units) .. '.' .. string.format('%0' .. places .. 'd', parts)
end

-- Return the open cost and the realized profit after a trade of no more than a position holds, in whole numbers that doubles
-- hold: below 2^53 a remainder is exact. Return nil where they do not.
local function cost_in_doubles(position, size, buys, quantity, notional)
  local units, parts = billionths(position.open_cost)
  local paid, paid_parts = billionths(notional)
  local profit, profit_parts = billionths(position.realized_profit)
  if not units or not paid or not profit then return nil end
  local sign = (units < 0 or parts < 0) and -1 or 1
  units, parts = sign * units, sign * parts
  local dividend = units * quantity
  if dividend >= EXACT_BELOW then return nil end
  local rest = dividend % size
  local gone = (dividend - rest) / size
  dividend = rest * BILLION + parts * quantity
  if dividend >= EXACT_BELOW then return nil end
  rest = dividend % size
  local gone_parts = (dividend - rest) / size
  if 2 * rest > size or 2 * rest == size and gone_parts % 2 == 1 then gone_parts = gone_parts + 1 end
  if buys then paid, paid_parts = -paid, -paid_parts end
  return decimal_of_billionths(sign * (units - gone), sign * (parts - gone_parts)),
    decimal_of_billionths(profit + paid - sign * gone, profit_parts + paid_parts - sign * gone_parts)
end

-- Return the open cost and the realized profit of a position after a trade. A position that was only ever bought has cost what
-- was bought: given that amount before the trade and after it, the same is not summed up twice.
local function cost_after_trade(position, buys, quantity, notional, amount, amount_after)
  local cost, held = position.open_cost, position.quantity
  if held == 0 or is_less(0, held) == buys then
    if buys and cost == amount then return amount_after, position.realized_profit end
    return sum(cost, buys and notional or negative(notional)), position.realized_profit
  end
  local size = buys and negative(held) or held
  if quantity + 0 == quantity and size + 0 == size and quantity <= size then
    local left, profit = RARE.cost_in_doubles(position, size, buys, quantity, notional)
    if left then return left, profit end
  end
  local after = RARE.cost_of_smaller(cost, held, buys, quantity, notional)
  local cash = buys and negative(notional) or notional
  return after, sum(position.realized_profit, sum(cash, sum(after, negative(cost))))
end

-- Return the open cost and the realized profit of a position whose quantity changes without a trade: the cost stays, and is
-- realized where the quantity comes to zero or goes through it.
local function cost_after_change(position, quantity)
  local cost, held = position.open_cost, position.quantity
  if quantity ~= 0 and (held == 0 or is_less(0, held) == is_less(0, quantity)) then return cost, position.realized_profit end
  return 0, sum(position.realized_profit, negative(cost))
end
