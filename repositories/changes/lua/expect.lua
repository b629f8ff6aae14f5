-- Of the engine: a guard of a unit, which changes nothing.
-- Uses changes/run, changes/remembered

-- Return {'expected'}, {'missing'}, {'version', version} when an order has another version than the one expected, or
-- {'terms', quantity} when it has another quantity, or remembers what it should not. Each is looked at where it is given.
local function expect_order(at)
  local id, version, quantity, unknown = unpack(ARGV, at, at + 3)
  local order = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local found = value_of(order, 'version') or ''
  if version ~= '' and found ~= version then return { 'version', found } end
  local ordered = value_of(order, 'quantity') or ''
  if quantity ~= '' and ordered ~= quantity or unknown ~= '' and recall(order, unknown) then return { 'terms', ordered } end
  return { 'expected' }
end
