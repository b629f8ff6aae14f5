-- Shared: a stored order, checked before it is changed, and the indexes that list it.
-- Uses changes/validation, changes/expiring_index, changes/lifetimes

local ORDER_FIELDS, OPTIONAL_ORDER_FIELDS = CONSTANTS.ORDER_FIELDS, CONSTANTS.OPTIONAL_ORDER_FIELDS

-- Return the reply that says why an order cannot be changed, nil when it can.
local function order_problem(key, base, order)
  local problem = corrupt_field(key, order, ORDER_FIELDS, OPTIONAL_ORDER_FIELDS)
  if problem then return problem end
  if base .. 'order:' .. order.order_id ~= key then return { 'corrupt', key, 'order_id', order.order_id } end
  if string.sub(base, -#order.trader - 3) ~= '{' .. order.trader .. '}:' then
    return { 'corrupt', key, 'trader', order.trader }
  end
  local limited, stopped = order.type == 'LIMIT' or order.type == 'STOP_LIMIT', string.match(order.type, '^STOP')
  if limited ~= (order.price ~= nil) then return { 'corrupt', key, 'price', order.price or '' } end
  if (stopped ~= nil) ~= (order.stop_price ~= nil) then return { 'corrupt', key, 'stop_price', order.stop_price or '' } end
  return nil
end

-- Return what changes in the indexes when an order moves to a status, and how long the order is kept then. Every index that
-- will be written is read, which proves that it can be written. Where an index lists the order for ever and shall go on doing
-- so, nothing is written: the order's keys have no expiry then either.
local function plan_indexes(base, order, to, open_ttl, closed_ttl)
  local symbol, status = base .. 'orders_by_symbol:' .. order.symbol, base .. 'orders_by_status:'
  local plan = { expiry = expiry_of(to, open_ttl, closed_ttl) }
  local function stays(index)
    return plan.expiry == 'inf' and redis.call('ZSCORE', index, order.order_id) == 'inf'
  end
  if not stays(symbol) then plan.symbol = read_index(symbol) end
  if to ~= order.status then
    plan.from, plan.to = read_index(status .. order.status), read_index(status .. to)
  elseif not stays(status .. to) then
    plan.to = read_index(status .. to)
  end
  return plan
end

-- Carry out the plan, after everything else is written: the index that the order leaves may become empty.
local function update_indexes(plan, order, applied, id)
  if plan.symbol then
    expire_at(order, plan.expiry)
    expire_at(applied, plan.expiry)
    add_to_index(plan.symbol, id, plan.expiry)
  end
  if plan.to then add_to_index(plan.to, id, plan.expiry) end
  if plan.from then remove_from_index(plan.from, id) end
end
