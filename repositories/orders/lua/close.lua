-- Cancel, reject or expire an order; one that has the new status already is left as it is.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, orders/order_record
-- KEYS order
--      applied         what was applied to the order
--      events
--      lock?           of a change under a lock
-- Touches the indexes of the order's symbol and statuses
-- ARGV base            what the trader's keys begin with
--      open_ttl        milliseconds that an open order is kept, '' for ever
--      closed_ttl      milliseconds that a terminal order is kept
--      events_policy   how many events are kept, and where they are announced
--      acknowledged    the number of the last change that was acknowledged to the writer, and its mark
--      fence           of the lock, '' without one
--      status          the new status
--      ts_ns
--      text            or ''
-- Returns {'applied' | 'repeat', sequence, order…}
--         {'missing'}  {'closed', status}  {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: the number of the writer's last event
--         {'lost', first number, any of these}: changes acknowledged before are gone

local status = ARGV.status
local before = compare_past(KEYS.events, ARGV.acknowledged)
local order = read_hash(KEYS.order)
if not order then return with_loss(before, { 'missing' }) end
local problem = order_problem(KEYS.order, ARGV.base, order)
if problem then return problem end
if order.status == status then return answer_repeat(KEYS.events, before, { 'repeat', '0', hash_as_list(order) }) end
local refused = fence_refusal(KEYS.lock, ARGV.fence)
if refused then return refused end
if not OPEN_STATUSES[order.status] or (status == 'REJECTED' and order.filled_quantity ~= '0') then
  return with_loss(before, { 'closed', order.status })
end

local plan = plan_indexes(ARGV.base, order, status, ARGV.open_ttl, ARGV.closed_ttl)
redis.call('HLEN', KEYS.applied)

local sequence, failed = append_event(KEYS.events, before, ARGV.events_policy, {
  type = status, ts_ns = ARGV.ts_ns, symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = status, quantity = order.quantity, price = order.price, filled_quantity = order.filled_quantity,
  text = ARGV.text,
})
if failed then return failed end
write_hash(KEYS.order, order, {
  status = status, version = integer_text(tonumber(order.version) + 1), updated_ns = ARGV.ts_ns, text = ARGV.text,
})
update_indexes(plan, KEYS.order, KEYS.applied, order.order_id)
publish_event()
return with_loss(before, { 'applied', sequence, hash_as_list(order) })
