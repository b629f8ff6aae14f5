-- Of the engine: remove a terminal order with all its ids before it expires; when it is gone already, nothing changes.
-- Uses changes/run, changes/own_orders, changes/aliases

-- Return {'deleted'}  {'open', status}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function delete_order(at)
  local order, id = load_order(ARGV[at])
  if #order.flat == 0 then return { 'deleted' } end
  local status, _, symbol = decisive_fields(order)
  local refused = problem or is_barred and RARE.bar()
  if refused then return refused end
  if OPEN_STATUSES[status] then return { 'open', status } end
  local by_symbol, by_status = load_index('orders_by_symbol:' .. symbol), load_index('orders_by_status:' .. status)
  local own_indexes = order.at[OWN_NAMES] and RARE.indexes_of_own(order)
  if order.at.aliases then RARE.load_chain(order, id) end
  redis.call('HLEN', order.memory)
  order.flat = {}
  leave_index(by_symbol, id)
  leave_index(by_status, id)
  if own_indexes then
    for _, index in ipairs(own_indexes) do index.members[id] = false end
  end
  deleted = { order.key, order.memory }
  for _, alias in ipairs(order.chain or {}) do deleted[#deleted + 1] = alias.key end
  return { 'deleted' }
end
