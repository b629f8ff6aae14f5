-- Shared: check a stored position before it is changed, and make the first position of a trader in a symbol.
-- Uses changes/validation

local POSITION_FIELDS, OPTIONAL_POSITION_FIELDS = CONSTANTS.POSITION_FIELDS, CONSTANTS.OPTIONAL_POSITION_FIELDS

-- Return the reply that says why a position cannot be changed, nil when it can.
local function position_problem(key, position, trader, symbol)
  local problem = corrupt_field(key, position, POSITION_FIELDS, OPTIONAL_POSITION_FIELDS)
  if problem then return problem end
  if position.trader ~= trader then return { 'corrupt', key, 'trader', position.trader } end
  if position.symbol ~= symbol then return { 'corrupt', key, 'symbol', position.symbol } end
  return nil
end

-- Return the position of a trader who never had one in the symbol.
local function flat_position(trader, symbol)
  return {
    trader = trader, symbol = symbol, quantity = '0', bought_quantity = '0', sold_quantity = '0',
    bought_notional = '0', sold_notional = '0', version = '0',
  }
end
