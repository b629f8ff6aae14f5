-- Cancel, reject or expire an order; when it already is, nothing changes.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, orders/order_record
-- KEYS  1 order  2 applied  3 events  4 the lock, of a change under one; and, by the order's symbol and status, its
--       indexes
-- ARGV  1 base of the trader's keys  2 milliseconds an open order lives  3 a closed one  4 events policy
--       5 what the writer was told  6 the new status  7 ts_ns  8 text or ''; and the fence
-- Returns {'applied' | 'repeat', sequence, order…}  {'missing'}  {'closed', status}  {'corrupt', key, field, value}
--         {'fence', lock, fence}
--         {'seen', number, a repeat}: so far go the writer's events
--         {'lost', first number, any of these}: changes acknowledged before are gone

local status = ARGV[6]
local before = compare_past(KEYS[3], ARGV[5])
local order = read_hash(KEYS[1])
if not order then return with_loss(before, { 'missing' }) end
local problem = order_problem(KEYS[1], ARGV[1], order)
if problem then return problem end
if order.status == status then return answer_repeat(KEYS[3], before, { 'repeat', '0', hash_as_list(order) }) end
local refused = fence_refusal(KEYS[4], ARGV[#ARGV])
if refused then return refused end
if not OPEN[order.status] or (status == 'REJECTED' and order.filled_quantity ~= '0') then
  return with_loss(before, { 'closed', order.status })
end

local plan = plan_indexes(ARGV[1], order, status, ARGV[2], ARGV[3])
redis.call('HLEN', KEYS[2])

local sequence, failed = append_event(KEYS[3], before, ARGV[4], {
  type = status, ts_ns = ARGV[7], symbol = order.symbol, order_id = order.order_id, side = order.side, status = status,
  quantity = order.quantity, price = order.price, filled_quantity = order.filled_quantity, text = ARGV[8],
})
if failed then return failed end
write_hash(KEYS[1], order, {
  status = status, version = integer_text(tonumber(order.version) + 1), updated_ns = ARGV[7], text = ARGV[8],
})
update_indexes(plan, KEYS[1], KEYS[2], order.order_id)
publish_event()
return with_loss(before, { 'applied', sequence, hash_as_list(order) })
