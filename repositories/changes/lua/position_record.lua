-- Shared: a stored position, checked before it is changed.
-- Uses changes/validation

local POSITION, POSITION_MAY = {
  trader = 'name', symbol = 'name', quantity = 'signed', bought_quantity = 'count', sold_quantity = 'count',
  bought_notional = 'amount', sold_notional = 'amount', version = 'version',
}, { updated_ns = 'time' }

-- Why a position cannot be worked with, as a reply; nil when it can.
local function position_problem(key, position, trader, symbol)
  local problem = corrupt_field(key, position, POSITION, POSITION_MAY)
  if problem then return problem end
  if position.trader ~= trader then return { 'corrupt', key, 'trader', position.trader } end
  if position.symbol ~= symbol then return { 'corrupt', key, 'symbol', position.symbol } end
  return nil
end

local function flat_position(trader, symbol)
  return {
    trader = trader, symbol = symbol, quantity = '0', bought_quantity = '0', sold_quantity = '0',
    bought_notional = '0', sold_notional = '0', version = '0',
  }
end
