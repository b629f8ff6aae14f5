-- Shared by the scripts that change an order.

local STATUSES = { NEW = true, PARTIALLY_FILLED = true, FILLED = true, CANCELED = true, REJECTED = true, EXPIRED = true }

-- Why this order cannot be worked with, as a reply; nil when it can.
local function unfit(key, order)
  for _, field in ipairs({ 'order_id', 'symbol', 'side' }) do
    if not order[field] then return { 'corrupt', key, field, '' } end
  end
  if not STATUSES[order.status or ''] then return { 'corrupt', key, 'status', order.status or '' } end
  if order.side ~= 'BUY' and order.side ~= 'SELL' then return { 'corrupt', key, 'side', order.side } end
  return corrupt(key, order, { 'quantity', 'filled_quantity', 'version' }, { 'filled_notional' })
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
  redis.call('ZCARD', keys.to)
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
