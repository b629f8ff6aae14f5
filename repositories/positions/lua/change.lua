-- Change a position without an order, once: by a difference, to a value, or by a difference within a limit.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/snapshots, changes/position_record
-- KEYS position
--      positions       the symbols of the trader's positions
--      request         what is remembered of the request
--      events
--      lock?           of a change under a lock
-- ARGV trader
--      symbol
--      request_id
--      action          'ADJUST' or 'SET'
--      quantity        the difference, or for SET the new quantity
--      max_position    the limit of the quantity's absolute value, or ''
--      ts_ns
--      request_ttl     milliseconds that the request is remembered
--      events_policy   how many events are kept, and where they are announced
--      acknowledged    the number of the last change that was acknowledged to the writer, and its mark
--      fence           of the lock, '' without one
-- Returns {'applied' | 'repeat' | 'limit', sequence, position…}
--         {'duplicate'}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: the number of the writer's last event
--         {'lost', first number, any of these}: changes acknowledged before are gone

local content = table.concat({ ARGV.symbol, ARGV.action, ARGV.quantity, ARGV.max_position }, ' ')
local before = compare_past(KEYS.events, ARGV.acknowledged)
local position = read_hash(KEYS.position)
local recorded = redis.call('GET', KEYS.request)
if recorded then
  local memory = recall(recorded, { 0, 0, #POSITION_SNAPSHOT })
  if not memory then return { 'corrupt', KEYS.request, ARGV.request_id, recorded } end
  local first, sequence, was = unpack(memory)
  if first ~= content then return with_loss(before, { 'duplicate' }) end
  position = rewind({ trader = ARGV.trader, symbol = ARGV.symbol }, POSITION_SNAPSHOT, was)
  return answer_repeat(KEYS.events, before, { 'repeat', sequence, hash_as_list(position) })
end
local refused = fence_refusal(KEYS.lock, ARGV.fence)
if refused then return refused end

local is_new = not position
position = position or flat_position(ARGV.trader, ARGV.symbol)
local problem = position_problem(KEYS.position, position, ARGV.trader, ARGV.symbol)
if problem then return problem end

local held, change = tonumber(position.quantity), tonumber(ARGV.quantity)
local quantity = change
if ARGV.action == 'ADJUST' then
  if (change > 0 and held > MAX_QUANTITY - change) or (change < 0 and held < -MAX_QUANTITY - change) then
    return { 'overflow', 'quantity' }
  end
  quantity = held + change
end
if ARGV.max_position ~= '' and math.abs(quantity) > tonumber(ARGV.max_position) then
  return with_loss(before, { 'limit', '0', hash_as_list(position) })
end
redis.call('SCARD', KEYS.positions)

local sequence, failed = append_event(KEYS.events, before, ARGV.events_policy, {
  type = 'POSITION', ts_ns = ARGV.ts_ns, symbol = ARGV.symbol, request_id = ARGV.request_id,
  position_quantity = integer_text(quantity),
})
if failed then return failed end
if is_new then redis.call('SADD', KEYS.positions, ARGV.symbol) end
local changes = {
  quantity = integer_text(quantity), version = integer_text(tonumber(position.version) + 1), updated_ns = ARGV.ts_ns,
}
if is_new then
  for field, value in pairs(position) do changes[field] = changes[field] or value end
end
write_hash(KEYS.position, position, changes)
redis.call('SET', KEYS.request, cjson.encode({ content, sequence, snapshot(position, POSITION_SNAPSHOT) }),
  'PX', ARGV.request_ttl)
publish_event()
return with_loss(before, { 'applied', sequence, hash_as_list(position) })
