-- Change an open order's quantity or prices, once.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/snapshots, orders/order_record
-- KEYS  1 order  2 applied  3 events  4 the lock, of a change under one; and, by the order's symbol and status, its
--       indexes
-- ARGV  1 base of the trader's keys  2 milliseconds an open order lives  3 a closed one  4 events policy
--       5 what the writer was told  6 request_id  7 quantity  8 price  9 stop_price ('' for what stays)  10 revision or ''
--       11 ts_ns  12 text or ''; and the fence
-- Returns {'applied' | 'repeat', sequence, order…}
--         {'missing'}  {'duplicate'}  {'closed', status}  {'overfill', filled quantity}  {'type', order type, field}
--         {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: so far go the writer's events
--         {'lost', first number, any of these}: changes acknowledged before are gone

local request = 'replace:' .. ARGV[6]
local content = table.concat({ ARGV[7], ARGV[8], ARGV[9], ARGV[10] }, ' ')
local before = compare_past(KEYS[3], ARGV[5])
local order = read_hash(KEYS[1])
if not order then return with_loss(before, { 'missing' }) end
local problem = order_problem(KEYS[1], ARGV[1], order)
if problem then return problem end

local known = redis.call('HGET', KEYS[2], request)
if known then
  local memory = recall(known, { 0, 0, #MUTABLE })
  if not memory then return { 'corrupt', KEYS[2], request, known } end
  local first, sequence, was = unpack(memory)
  if first ~= content then return with_loss(before, { 'duplicate' }) end
  return answer_repeat(KEYS[3], before, { 'repeat', sequence, hash_as_list(rewind(order, MUTABLE, was)) })
end
if ARGV[10] ~= '' and order.revision and tonumber(ARGV[10]) <= tonumber(order.revision) then
  return answer_repeat(KEYS[3], before, { 'repeat', '0', hash_as_list(order) }) -- out of date: a later one has been applied
end
local refused = fence_refusal(KEYS[4], ARGV[#ARGV])
if refused then return refused end
if not OPEN[order.status] then return with_loss(before, { 'closed', order.status }) end
for i, field in ipairs({ 'price', 'stop_price' }) do
  if ARGV[7 + i] ~= '' and not order[field] then return with_loss(before, { 'type', order.type or '', field }) end
end

local quantity, filled = ARGV[7] ~= '' and tonumber(ARGV[7]) or tonumber(order.quantity), tonumber(order.filled_quantity)
if quantity < filled then return with_loss(before, { 'overfill', order.filled_quantity }) end
local status = quantity == filled and 'FILLED' or order.status

local plan = plan_indexes(ARGV[1], order, status, ARGV[2], ARGV[3])

local price = ARGV[8] ~= '' and ARGV[8] or order.price
local sequence, failed = append_event(KEYS[3], before, ARGV[4], {
  type = 'REPLACED', ts_ns = ARGV[11], symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = status, quantity = integer_text(quantity), price = price, filled_quantity = order.filled_quantity,
  request_id = ARGV[6], text = ARGV[12],
})
if failed then return failed end
local changes = {
  status = status, quantity = integer_text(quantity), price = price, version = integer_text(tonumber(order.version) + 1),
  updated_ns = ARGV[11], text = ARGV[12],
}
if not order.placed_quantity then
  changes.placed_quantity, changes.placed_price, changes.placed_stop_price = order.quantity, order.price, order.stop_price
end
if ARGV[9] ~= '' then changes.stop_price = ARGV[9] end
if ARGV[10] ~= '' then changes.revision = ARGV[10] end
write_hash(KEYS[1], order, changes)
redis.call('HSET', KEYS[2], request, cjson.encode({ content, sequence, snapshot(order, MUTABLE) }))
update_indexes(plan, KEYS[1], KEYS[2], order.order_id)
publish_event()
return with_loss(before, { 'applied', sequence, hash_as_list(order) })
