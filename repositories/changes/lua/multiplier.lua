-- Of the engine: the multiplier of a contract, the amount that one unit pays for a price of 1. What has none has 1. A position has
-- one, which the first order or change in its symbol has said: amounts of several would be a sum of different things.
-- Uses changes/records, changes/ratio, changes/cost

-- Return a multiplier as text, '1' for none; note a problem with one that was never written.
local function multiplier_in(text, key)
  if not text then return '1' end
  if #text > 40 or not string.find(text, '^%d+%.?%d*$') then problem = problem or { 'corrupt', key, 'multiplier', text } end
  return text
end

-- Return the multiplier of an order that is to be placed, nil for 1; or nil and the refusal when its position has another one.
local function multiplier_of_new(position, terms)
  local asked = terms ~= '' and cjson.decode(terms).multiplier or '1'
  local held = multiplier_in(position.multiplier, position.key)
  if problem then return nil, problem end
  local is_first = position.is_new and not position.is_changed
  if not is_first and asked ~= held then return nil, { 'multiplier', asked, held } end
  return asked ~= '1' and asked or nil
end

-- Return an amount times the multiplier of its order; or nil and the refusal when its position has another one, or when the amount
-- would have more places than are counted.
local function amount_of_order(order, position, amount)
  local multiplier = multiplier_in(value_of(order, 'multiplier'), order.key)
  local held = multiplier_in(position.multiplier, position.key)
  if problem then return nil, problem end
  if multiplier ~= held then return nil, { 'multiplier', multiplier, held } end
  local paid = product(amount, decimal(multiplier))
  if places_behind(paid) > AMOUNT_PLACES then return nil, { 'overflow', 'places' } end
  return paid
end

-- Return the price that an amount is quantity times price of, '' for none: what one unit pays.
local function price_of_unit(price, multiplier)
  if price == '' then return price end
  return decimal_text(product(decimal(price), decimal(multiplier)))
end

-- Return the refusal of a multiplier that a position cannot be set with, nil when it can: with another one only while no order is
-- open, and nothing has been bought or sold since the last roll.
local function multiplier_change_refusal(position, multiplier)
  local held = multiplier_in(position.multiplier, position.key)
  if problem then return problem end
  if multiplier == held then return nil end
  for _, name in ipairs({ 'BUY', 'SELL', 'bought_quantity', 'sold_quantity', 'bought_notional', 'sold_notional' }) do
    if position[name] ~= 0 then return { 'multiplier', multiplier, held } end
  end
end
