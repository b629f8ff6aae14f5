-- Shared by the scripts that change an order.
-- Uses changes/validation, changes/expiring_index, changes/lifetimes

local ORDER, ORDER_MAY = {
  trader = 'name', order_id = 'name', symbol = 'name', side = 'side', type = 'kind', time_in_force = 'force',
  quantity = 'quantity', status = 'status', filled_quantity = 'count', filled_notional = 'amount', version = 'version',
  ts_ns = 'time',
}, {
  price = 'price', stop_price = 'price', text = 'text', placed_quantity = 'quantity', placed_price = 'price',
  placed_stop_price = 'price', revision = 'count', updated_ns = 'time',
}

-- Why this order cannot be worked with, as a reply; nil when it can.
local function order_problem(key, base, order)
  local problem = corrupt_field(key, order, ORDER, ORDER_MAY)
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

-- What a move of the order to a status touches, and until when the order then lives. All that is to be written is read, which
-- proves that it can be. Where an index has the order for ever, and is to have it for ever, nothing is written: the order's
-- keys have no expiry then either.
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

-- Carry the plan out, when all else is written: the index that the order leaves may become empty.
local function update_indexes(plan, order, applied, id)
  if plan.symbol then
    expire_at(order, plan.expiry)
    expire_at(applied, plan.expiry)
    add_to_index(plan.symbol, id, plan.expiry)
  end
  if plan.to then add_to_index(plan.to, id, plan.expiry) end
  if plan.from then remove_from_index(plan.from, id) end
end
