-- Of the engine: remove a terminal order before it expires; when it is gone already, nothing changes.
-- Uses changes/run, changes/own_orders

-- Return {'deleted'}  {'open', status}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function delete_order(at)
  local id = ARGV[at]
  local order = load_order(id)
  if #order.flat == 0 then return { 'deleted' } end
  local status, _, symbol = decisive_fields(order)
  local refused = problem or is_barred and RARE.bar()
  if refused then return refused end
  if OPEN_STATUSES[status] then return { 'open', status } end
  local by_symbol, by_status = load_index('orders_by_symbol:' .. symbol), load_index('orders_by_status:' .. status)
  local own_indexes = order.at[OWN_NAMES] and RARE.indexes_of_own(order)
  redis.call('HLEN', order.memory)
  order.flat = {}
  leave_index(by_symbol, id)
  leave_index(by_status, id)
  if own_indexes then
    for _, index in ipairs(own_indexes) do index.members[id] = false end
  end
  deleted = { order.key, order.memory }
  return { 'deleted' }
end
