-- Change an open order's quantity or prices, once.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/snapshots, orders/order_record
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
--      request_id
--      quantity        '' for what stays as it is, like the prices
--      price
--      stop_price
--      revision        or ''
--      ts_ns
--      text            or ''
-- Returns {'applied' | 'repeat', sequence, order…}
--         {'missing'}  {'duplicate'}  {'closed', status}  {'overfill', filled quantity}  {'type', order type, field}
--         {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: the number of the writer's last event
--         {'lost', first number, any of these}: changes acknowledged before are gone

local entry = 'replace:' .. ARGV.request_id
local content = table.concat({ ARGV.quantity, ARGV.price, ARGV.stop_price, ARGV.revision }, ' ')
local before = compare_past(KEYS.events, ARGV.acknowledged)
local order = read_hash(KEYS.order)
if not order then return with_loss(before, { 'missing' }) end
local problem = order_problem(KEYS.order, ARGV.base, order)
if problem then return problem end

local recorded = redis.call('HGET', KEYS.applied, entry)
if recorded then
  local memory = recall(recorded, { 0, 0, #ORDER_SNAPSHOT })
  if not memory then return { 'corrupt', KEYS.applied, entry, recorded } end
  local first, sequence, was = unpack(memory)
  if first ~= content then return with_loss(before, { 'duplicate' }) end
  return answer_repeat(KEYS.events, before, { 'repeat', sequence, hash_as_list(rewind(order, ORDER_SNAPSHOT, was)) })
end
if ARGV.revision ~= '' and order.revision and tonumber(ARGV.revision) <= tonumber(order.revision) then
  return answer_repeat(KEYS.events, before, { 'repeat', '0', hash_as_list(order) }) -- a later one has been applied
end
local refused = fence_refusal(KEYS.lock, ARGV.fence)
if refused then return refused end
if not OPEN_STATUSES[order.status] then return with_loss(before, { 'closed', order.status }) end
if ARGV.price ~= '' and not order.price then return with_loss(before, { 'type', order.type or '', 'price' }) end
if ARGV.stop_price ~= '' and not order.stop_price then
  return with_loss(before, { 'type', order.type or '', 'stop_price' })
end

local filled = tonumber(order.filled_quantity)
local quantity = ARGV.quantity ~= '' and tonumber(ARGV.quantity) or tonumber(order.quantity)
if quantity < filled then return with_loss(before, { 'overfill', order.filled_quantity }) end
local status = quantity == filled and 'FILLED' or order.status

local plan = plan_indexes(ARGV.base, order, status, ARGV.open_ttl, ARGV.closed_ttl)

local price = ARGV.price ~= '' and ARGV.price or order.price
local sequence, failed = append_event(KEYS.events, before, ARGV.events_policy, {
  type = 'REPLACED', ts_ns = ARGV.ts_ns, symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = status, quantity = integer_text(quantity), price = price, filled_quantity = order.filled_quantity,
  request_id = ARGV.request_id, text = ARGV.text,
})
if failed then return failed end
local changes = {
  status = status, quantity = integer_text(quantity), price = price, version = integer_text(tonumber(order.version) + 1),
  updated_ns = ARGV.ts_ns, text = ARGV.text,
}
if not order.placed_quantity then
  changes.placed_quantity, changes.placed_price, changes.placed_stop_price = order.quantity, order.price, order.stop_price
end
if ARGV.stop_price ~= '' then changes.stop_price = ARGV.stop_price end
if ARGV.revision ~= '' then changes.revision = ARGV.revision end
write_hash(KEYS.order, order, changes)
redis.call('HSET', KEYS.applied, entry, cjson.encode({ content, sequence, snapshot(order, ORDER_SNAPSHOT) }))
update_indexes(plan, KEYS.order, KEYS.applied, order.order_id)
publish_event()
return with_loss(before, { 'applied', sequence, hash_as_list(order) })
