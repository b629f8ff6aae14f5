-- Shared: what a position's open quantity has cost, by moving average. The open cost has the sign of the quantity at ordinary
-- prices: what was paid for a long position, minus what was received for a short one. Whatever is taken off it is realized, so
-- that realized profit - open cost - cash stays the same to the last digit.
-- Uses changes/ratio

local LEAST_PLACES, MOST_PLACES = CONSTANTS.LEAST_COST_PLACES, CONSTANTS.MOST_PLACES

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

-- Return the open cost and the realized profit of a position after a trade. A position that was only ever bought has cost what
-- was bought: given that amount before the trade and after it, the same is not summed up twice.
local function cost_after_trade(position, buys, quantity, notional, amount, amount_after)
  local cost, held = position.open_cost, position.quantity
  if held == 0 or is_less(0, held) == buys then
    if buys and cost == amount then return amount_after, position.realized_profit end
    return sum(cost, buys and notional or negative(notional)), position.realized_profit
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
