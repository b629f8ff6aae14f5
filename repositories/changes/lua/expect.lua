-- Of the engine: a guard of a unit, which changes nothing.
-- Uses changes/run

-- Return {'expected'}, {'missing'}, or {'version', version} when an order has another version than the one expected.
local function expect_version(at)
  local id, version = unpack(ARGV, at, at + 1)
  local order = load_order(id)
  if #order.flat == 0 then return { 'missing' } end
  local found = value_of(order, 'version') or ''
  return found == version and { 'expected' } or { 'version', found }
end
