-- Apply one execution to its order and its position, once.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/decimals, changes/snapshots, changes/position_record, orders/order_record
-- KEYS  1 order  2 applied  3 events  4 positions  5 the lock, of a change under one; and, by the order's symbol and
--       status, its indexes and position
-- ARGV  1 base of the trader's keys  2 milliseconds an open order lives  3 a closed one  4 events policy
--       5 what the writer was told  6 trader  7 exec_id  8 quantity  9 price  10 notional  11 ts_ns; and the fence
-- Returns {'applied' | 'repeat', sequence, late, order…, position…}
--         {'missing'}  {'duplicate', quantity, price}  {'overfill', open quantity, status}  {'overflow', what}
--         {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: so far go the writer's events
--         {'lost', first number, any of these}: changes acknowledged before are gone

local base, exec_id = ARGV[1], 'fill:' .. ARGV[7]
local before = compare_past(KEYS[3], ARGV[5])
local order = read_hash(KEYS[1])
if not order then return with_loss(before, { 'missing' }) end
local problem = order_problem(KEYS[1], base, order)
if problem then return problem end

local position_key = base .. 'position:' .. order.symbol
local position = read_hash(position_key)
local known = redis.call('HGET', KEYS[2], exec_id)
if known then
  local memory = recall(known, { 0, 0, 0, 0, #MUTABLE, #HELD })
  if not memory then return { 'corrupt', KEYS[2], exec_id, known } end
  local quantity, price, sequence, late, was, held = unpack(memory)
  if quantity ~= ARGV[8] or price ~= ARGV[9] then return with_loss(before, { 'duplicate', quantity, price }) end
  position = { trader = ARGV[6], symbol = order.symbol }
  order, position = rewind(order, MUTABLE, was), rewind(position, HELD, held)
  return answer_repeat(KEYS[3], before, { 'repeat', sequence, late, hash_as_list(order), hash_as_list(position) })
end
local refused = fence_refusal(KEYS[5], ARGV[#ARGV])
if refused then return refused end

local is_new = not position
position = position or flat_position(ARGV[6], order.symbol)
problem = position_problem(position_key, position, ARGV[6], order.symbol)
if problem then return problem end

local quantity, filled = tonumber(ARGV[8]), tonumber(order.filled_quantity)
local open = tonumber(order.quantity) - filled
if quantity > open then return with_loss(before, { 'overfill', integer_text(open), order.status }) end
local late = not OPEN[order.status]
local status = order.status
if not late then status = quantity == open and 'FILLED' or 'PARTIALLY_FILLED' end

local buys = order.side == 'BUY'
local traded, amount = buys and 'bought_quantity' or 'sold_quantity', buys and 'bought_notional' or 'sold_notional'
local held = tonumber(position.quantity)
if quantity > MOST - tonumber(position[traded]) then return { 'overflow', traded } end
if quantity > MOST - (buys and held or -held) then return { 'overflow', 'quantity' } end
local order_notional, position_notional = add(order.filled_notional, ARGV[10]), add(position[amount], ARGV[10])
if not order_notional or not position_notional then return { 'overflow', amount } end

local plan = plan_indexes(base, order, status, ARGV[2], ARGV[3])
redis.call('SCARD', KEYS[4])

local filled_after, held_after = integer_text(filled + quantity), integer_text(buys and held + quantity or held - quantity)
local lateness = late and '1' or '0'
local sequence, failed = append_event(KEYS[3], before, ARGV[4], {
  type = 'TRADE', ts_ns = ARGV[11], symbol = order.symbol, order_id = order.order_id, side = order.side, status = status,
  quantity = order.quantity, price = order.price, filled_quantity = filled_after, exec_id = ARGV[7],
  last_quantity = ARGV[8], last_price = ARGV[9], late = late and '1', position_quantity = held_after,
})
if failed then return failed end
order.status, order.filled_quantity, order.filled_notional = status, filled_after, order_notional
order.version, order.updated_ns = integer_text(tonumber(order.version) + 1), ARGV[11]
redis.call('HSET', KEYS[1], 'status', status, 'filled_quantity', filled_after, 'filled_notional', order_notional,
  'version', order.version, 'updated_ns', ARGV[11])
position.quantity, position.version = held_after, integer_text(tonumber(position.version) + 1)
position[traded], position[amount] = integer_text(tonumber(position[traded]) + quantity), position_notional
position.updated_ns = ARGV[11]
local moved = hash_as_list(position)
if is_new then
  redis.call('SADD', KEYS[4], order.symbol)
  redis.call('HSET', position_key, unpack(moved))
else
  redis.call('HSET', position_key, 'quantity', held_after, traded, position[traded], amount, position_notional,
    'version', position.version, 'updated_ns', ARGV[11])
end
redis.call('HSET', KEYS[2], exec_id, cjson.encode({
  ARGV[8], ARGV[9], sequence, lateness, snapshot(order, MUTABLE), snapshot(position, HELD),
}))
update_indexes(plan, KEYS[1], KEYS[2], order.order_id)
publish_event()
return with_loss(before, { 'applied', sequence, lateness, hash_as_list(order), moved })
