-- Change an open order's quantity or prices, once.
-- KEYS  1 order  2 applied  3 events; and the lock, of a change under one; and, by the order's symbol and status, its indexes
-- ARGV  1 base of the trader's keys  2 milliseconds an open order lives  3 a closed one  4 events policy
--       5 request_id  6 quantity  7 price  8 stop_price ('' for what stays)  9 revision or ''  10 ts_ns  11 text or ''; and the fence
-- Returns {'applied' | 'repeat', sequence, order…}
--         {'missing'}  {'duplicate'}  {'closed', status}  {'overfill', filled quantity}  {'type', order type, field}
--         {'corrupt', key, field, value}  {'fence', lock, fence}

local request = 'replace:' .. ARGV[5]
local content = table.concat({ ARGV[6], ARGV[7], ARGV[8], ARGV[9] }, ' ')
local order = record(KEYS[1])
if not order then return { 'missing' } end
local problem = unfit(KEYS[1], ARGV[1], order)
if problem then return problem end

local known = redis.call('HGET', KEYS[2], request)
if known then
  local memory = recall(known, { 0, 0, #MUTABLE })
  if not memory then return { 'corrupt', KEYS[2], request, known } end
  local first, sequence, was = unpack(memory)
  if first ~= content then return { 'duplicate' } end
  return { 'repeat', sequence, flat(rewind(order, MUTABLE, was)) }
end
if ARGV[9] ~= '' and order.revision and tonumber(ARGV[9]) <= tonumber(order.revision) then
  return { 'repeat', '0', flat(order) } -- a later one has been applied: this one is out of date
end
local refused = fenced(KEYS[4])
if refused then return refused end
if not OPEN[order.status] then return { 'closed', order.status } end
for i, field in ipairs({ 'price', 'stop_price' }) do
  if ARGV[6 + i] ~= '' and not order[field] then return { 'type', order.type or '', field } end
end

local quantity, filled = ARGV[6] ~= '' and tonumber(ARGV[6]) or tonumber(order.quantity), tonumber(order.filled_quantity)
if quantity < filled then return { 'overfill', order.filled_quantity } end
local status = quantity == filled and 'FILLED' or order.status

local now = now_ms()
local last = last_sequence(KEYS[3])
local keys, sizes = survey(ARGV[1], order, status)

local price = ARGV[7] ~= '' and ARGV[7] or order.price
local sequence, failed = append(KEYS[3], last, ARGV[4], {
  type = 'REPLACED', ts_ns = ARGV[10], symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = status, quantity = whole(quantity), price = price, filled_quantity = order.filled_quantity,
  request_id = ARGV[5], text = ARGV[11],
})
if failed then return failed end
local changes = {
  status = status, quantity = whole(quantity), price = price, version = whole(tonumber(order.version) + 1),
  updated_ns = ARGV[10], text = ARGV[11],
}
if not order.placed_quantity then
  changes.placed_quantity, changes.placed_price, changes.placed_stop_price = order.quantity, order.price, order.stop_price
end
if ARGV[8] ~= '' then changes.stop_price = ARGV[8] end
if ARGV[9] ~= '' then changes.revision = ARGV[9] end
write(KEYS[1], order, changes)
redis.call('HSET', KEYS[2], request, cjson.encode({ content, sequence, snapshot(order, MUTABLE) }))
sizes.applied = 1
settle(keys, sizes, order, now, ARGV[2], ARGV[3])
announce()
return { 'applied', sequence, flat(order) }
