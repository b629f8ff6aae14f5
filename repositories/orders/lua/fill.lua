-- Apply one execution to its order and its position, once.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/decimals, changes/snapshots,
--      changes/position_record, orders/order_record
-- KEYS order
--      applied         what was applied to the order
--      events
--      positions       the symbols of the trader's positions
--      lock?           of a change under a lock
-- Touches the position of the order's symbol, and the indexes of its symbol and statuses
-- ARGV base            what the trader's keys begin with
--      open_ttl        milliseconds that an open order is kept, '' for ever
--      closed_ttl      milliseconds that a terminal order is kept
--      events_policy   how many events are kept, and where they are announced
--      acknowledged    the number of the last change that was acknowledged to the writer, and its mark
--      fence           of the lock, '' without one
--      trader
--      exec_id
--      quantity
--      price
--      notional        quantity times price
--      ts_ns
-- Returns {'applied' | 'repeat', sequence, late, order…, position…}
--         {'missing'}  {'duplicate', quantity, price}  {'overfill', open quantity, status}  {'overflow', what}
--         {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: the number of the writer's last event
--         {'lost', first number, any of these}: changes acknowledged before are gone

local base, entry = ARGV.base, 'fill:' .. ARGV.exec_id
local before = compare_past(KEYS.events, ARGV.acknowledged)
local order = read_hash(KEYS.order)
if not order then return with_loss(before, { 'missing' }) end
local problem = order_problem(KEYS.order, base, order)
if problem then return problem end

local position_key = base .. 'position:' .. order.symbol
local position = read_hash(position_key)
local recorded = redis.call('HGET', KEYS.applied, entry)
if recorded then
  local memory = recall(recorded, { 0, 0, 0, 0, #ORDER_SNAPSHOT, #POSITION_SNAPSHOT })
  if not memory then return { 'corrupt', KEYS.applied, entry, recorded } end
  local quantity, price, sequence, late, was, held = unpack(memory)
  if quantity ~= ARGV.quantity or price ~= ARGV.price then
    return with_loss(before, { 'duplicate', quantity, price })
  end
  position = { trader = ARGV.trader, symbol = order.symbol }
  order, position = rewind(order, ORDER_SNAPSHOT, was), rewind(position, POSITION_SNAPSHOT, held)
  return answer_repeat(KEYS.events, before, { 'repeat', sequence, late, hash_as_list(order), hash_as_list(position) })
end
local refused = fence_refusal(KEYS.lock, ARGV.fence)
if refused then return refused end

local is_new = not position
position = position or flat_position(ARGV.trader, order.symbol)
problem = position_problem(position_key, position, ARGV.trader, order.symbol)
if problem then return problem end

local quantity, filled = tonumber(ARGV.quantity), tonumber(order.filled_quantity)
local open = tonumber(order.quantity) - filled
if quantity > open then return with_loss(before, { 'overfill', integer_text(open), order.status }) end
local late = not OPEN_STATUSES[order.status]
local status = order.status
if not late then status = quantity == open and 'FILLED' or 'PARTIALLY_FILLED' end

local buys = order.side == 'BUY'
local traded, amount = buys and 'bought_quantity' or 'sold_quantity', buys and 'bought_notional' or 'sold_notional'
local held = tonumber(position.quantity)
if quantity > MAX_QUANTITY - tonumber(position[traded]) then return { 'overflow', traded } end
if quantity > MAX_QUANTITY - (buys and held or -held) then return { 'overflow', 'quantity' } end
local order_notional = add(order.filled_notional, ARGV.notional)
local position_notional = add(position[amount], ARGV.notional)
if not order_notional or not position_notional then return { 'overflow', amount } end

local plan = plan_indexes(base, order, status, ARGV.open_ttl, ARGV.closed_ttl)
redis.call('SCARD', KEYS.positions)

local filled_after, held_after = integer_text(filled + quantity), integer_text(buys and held + quantity or held - quantity)
local lateness = late and '1' or '0'
local sequence, failed = append_event(KEYS.events, before, ARGV.events_policy, {
  type = 'TRADE', ts_ns = ARGV.ts_ns, symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = status, quantity = order.quantity, price = order.price, filled_quantity = filled_after,
  exec_id = ARGV.exec_id, last_quantity = ARGV.quantity, last_price = ARGV.price, late = late and '1',
  position_quantity = held_after,
})
if failed then return failed end
order.status, order.filled_quantity, order.filled_notional = status, filled_after, order_notional
order.version, order.updated_ns = integer_text(tonumber(order.version) + 1), ARGV.ts_ns
redis.call('HSET', KEYS.order, 'status', status, 'filled_quantity', filled_after, 'filled_notional', order_notional,
  'version', order.version, 'updated_ns', ARGV.ts_ns)
position.quantity, position.version = held_after, integer_text(tonumber(position.version) + 1)
position[traded], position[amount] = integer_text(tonumber(position[traded]) + quantity), position_notional
position.updated_ns = ARGV.ts_ns
local moved = hash_as_list(position)
if is_new then
  redis.call('SADD', KEYS.positions, order.symbol)
  redis.call('HSET', position_key, unpack(moved))
else
  redis.call('HSET', position_key, 'quantity', held_after, traded, position[traded], amount, position_notional,
    'version', position.version, 'updated_ns', ARGV.ts_ns)
end
redis.call('HSET', KEYS.applied, entry, cjson.encode({
  ARGV.quantity, ARGV.price, sequence, lateness, snapshot(order, ORDER_SNAPSHOT), snapshot(position, POSITION_SNAPSHOT),
}))
update_indexes(plan, KEYS.order, KEYS.applied, order.order_id)
publish_event()
return with_loss(before, { 'applied', sequence, lateness, hash_as_list(order), moved })
