-- Of the engine: the status of an order by FIX's precedence, and what is open of it.
-- Uses changes/decimals, changes/lifetimes

-- Return the status of an order that has not ended, given what is filled of its quantity.
local function status_of(order, filled, quantity)
  if not is_less(filled, quantity) then return 'FILLED' end
  return is_less(0, filled) and 'PARTIALLY_FILLED' or 'NEW'
end

-- Return what is open of an order with a status: 0 once it has ended.
local function open_rest(order, status, filled, quantity)
  if not OPEN_STATUSES[status] or not is_less(filled, quantity) then return 0 end
  return sum(quantity, negative(filled))
end
