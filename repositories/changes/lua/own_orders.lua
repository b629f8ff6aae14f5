-- Of the engine: the indexes of own fields of orders, which are kept like those of own records.
-- Uses changes/own_index

-- Return the indexes of an order's own fields, each read so that it can be written.
local function indexes_of_own(order)
  local found = {}
  for name in string.gmatch(value_of(order, OWN_NAMES), '%S+') do
    local text = value_of(order, '+' .. name)
    if text then found[#found + 1] = load_own_index('orders_by_+' .. name, ':' .. text) end
  end
  return found
end

-- Give an order in the indexes of its own fields, in which it is until it is removed, the expiry that it now has.
local function enter_own(order, id, expiry)
  for _, index in ipairs(indexes_of_own(order)) do index.members[id] = expiry end
end
