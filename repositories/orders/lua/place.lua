-- Place an order, unless it is stored already.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/expiring_index, changes/lifetimes
-- KEYS order
--      new_orders      the index of the trader's orders with status NEW
--      symbol_orders   the index of the trader's orders in the symbol
--      events
--      lock?           of a change under a lock
-- ARGV open_ttl        milliseconds that an open order is kept, '' for ever
--      events_policy   how many events are kept, and where they are announced
--      acknowledged    the number of the last change that was acknowledged to the writer, and its mark
--      fence           of the lock, '' without one
--      fields...       fields and values of the order
-- Returns {'applied', sequence}
--         {'repeat', order…}: placed before with the same content
--         {'duplicate', order…}: placed before with other content
--         {'fence', lock, fence}: the lock is not held with this fence
--         {'seen', number, a repeat}: the number of the writer's last event
--         {'lost', first number, any of these}: changes acknowledged before are gone

local order = {}
for i = FIRST.fields, #ARGV, 2 do order[ARGV[i]] = ARGV[i + 1] end

local before = compare_past(KEYS.events, ARGV.acknowledged)
local stored = read_hash(KEYS.order)
if stored then
  local same = true
  for _, field in ipairs({ 'symbol', 'side', 'type', 'time_in_force' }) do
    same = same and stored[field] == order[field]
  end
  for _, field in ipairs({ 'quantity', 'price', 'stop_price' }) do
    local placed = stored[field]
    if stored.placed_quantity then placed = stored['placed_' .. field] end
    same = same and placed == order[field]
  end
  if same then return answer_repeat(KEYS.events, before, { 'repeat', hash_as_list(stored) }) end
  return with_loss(before, { 'duplicate', hash_as_list(stored) })
end

local refused = fence_refusal(KEYS.lock, ARGV.fence)
if refused then return refused end

local expiry = expiry_of('NEW', ARGV.open_ttl, '')
local of_status, of_symbol = read_index(KEYS.new_orders), read_index(KEYS.symbol_orders)

local sequence, failed = append_event(KEYS.events, before, ARGV.events_policy, {
  type = 'NEW', ts_ns = order.ts_ns, symbol = order.symbol, order_id = order.order_id, side = order.side,
  status = 'NEW', quantity = order.quantity, price = order.price, text = order.text,
})
if failed then return failed end
redis.call('HSET', KEYS.order, unpack(ARGV, FIRST.fields))
if expiry ~= 'inf' then redis.call('PEXPIREAT', KEYS.order, expiry) end
add_to_index(of_status, order.order_id, expiry)
add_to_index(of_symbol, order.order_id, expiry)
publish_event()
return with_loss(before, { 'applied', sequence })
