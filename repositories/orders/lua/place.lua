-- Place an order, unless it is there already.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/expiring_index, changes/lifetimes
-- KEYS  1 order  2 orders_by_status:NEW  3 orders_by_symbol  4 events  5 the lock, of a change under one
-- ARGV  1 milliseconds an open order lives, '' for ever  2 events policy  3 what the writer was told
--       4.. fields and values of the order; and the fence
-- Returns {'applied', sequence}
--         {'repeat', order…}: placed before with the same content
--         {'duplicate', order…}: placed before with other content
--         {'fence', lock, fence}: the lock is not held with this fence
--         {'seen', number, a repeat}: so far go the writer's events
--         {'lost', first number, any of these}: changes acknowledged before are gone

local order = {}
for i = 4, #ARGV, 2 do order[ARGV[i]] = ARGV[i + 1] end

local before = compare_past(KEYS[4], ARGV[3])
local there = read_hash(KEYS[1])
if there then
  local same = true
  for _, field in ipairs({ 'symbol', 'side', 'type', 'time_in_force' }) do
    same = same and there[field] == order[field]
  end
  for _, field in ipairs({ 'quantity', 'price', 'stop_price' }) do
    local placed = there[field]
    if there.placed_quantity then placed = there['placed_' .. field] end
    same = same and placed == order[field]
  end
  if same then return answer_repeat(KEYS[4], before, { 'repeat', hash_as_list(there) }) end
  return with_loss(before, { 'duplicate', hash_as_list(there) })
end

local refused = fence_refusal(KEYS[5], ARGV[#ARGV])
if refused then return refused end

local expiry = expiry_of('NEW', ARGV[1], '')
local of_status, of_symbol = read_index(KEYS[2]), read_index(KEYS[3])

local sequence, failed = append_event(KEYS[4], before, ARGV[2], {
  type = 'NEW', ts_ns = order.ts_ns, symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = 'NEW', quantity = order.quantity, price = order.price, text = order.text,
})
if failed then return failed end
redis.call('HSET', KEYS[1], unpack(ARGV, 4, KEYS[5] and #ARGV - 1 or #ARGV))
if expiry ~= 'inf' then redis.call('PEXPIREAT', KEYS[1], expiry) end
add_to_index(of_status, order.order_id, expiry)
add_to_index(of_symbol, order.order_id, expiry)
publish_event()
return with_loss(before, { 'applied', sequence })
