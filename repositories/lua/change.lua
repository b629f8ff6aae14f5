-- Shared by the scripts that change an order.

local ORDER, ORDER_MAY = {
  trader = 'name', order_id = 'name', symbol = 'name', side = 'side', type = 'kind', time_in_force = 'force',
  quantity = 'quantity', status = 'status', filled_quantity = 'count', filled_notional = 'amount', version = 'version',
  ts_ns = 'time',
}, {
  price = 'price', stop_price = 'price', text = 'text', placed_quantity = 'quantity', placed_price = 'price',
  placed_stop_price = 'price', revision = 'count', updated_ns = 'time',
}

-- Why this order cannot be worked with, as a reply; nil when it can.
local function unfit(key, base, order)
  local problem = corrupt(key, order, ORDER, ORDER_MAY)
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

-- The keys that a move from the order's status to another touches, and the sizes that matter. Reading them all proves that
-- they can be written.
local function survey(base, order, to)
  local keys = {
    order = base .. 'order:' .. order.order_id,
    applied = base .. 'applied:' .. order.order_id,
    symbol = base .. 'orders_by_symbol:' .. order.symbol,
    from = base .. 'orders_by_status:' .. order.status,
    to = base .. 'orders_by_status:' .. to,
  }
  redis.call('ZCARD', keys.symbol)
  if keys.to ~= keys.from then redis.call('ZCARD', keys.to) end
  return keys, { from = redis.call('ZCARD', keys.from), applied = redis.call('HLEN', keys.applied) }
end

-- Give the order's keys and index entries the expiry that goes with its new status. Done last: the index that the order
-- leaves may become empty.
local function settle(keys, sizes, order, now, open_ttl, closed_ttl)
  local expiry = expiry_of(order.status, now, open_ttl, closed_ttl)
  expire(keys.order, expiry)
  if sizes.applied > 0 then expire(keys.applied, expiry) end
  enter(keys.symbol, order.order_id, expiry, now)
  enter(keys.to, order.order_id, expiry, now)
  if keys.from ~= keys.to then leave(keys.from, order.order_id, sizes.from) end
end
