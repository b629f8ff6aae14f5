-- Change a position without an order, once: by a difference, to a value, or by a difference within a limit.
-- Uses changes/hashes, changes/loss, changes/fence, changes/events, changes/snapshots, changes/position_record
-- KEYS  1 position  2 positions  3 request  4 events  5 the lock, of a change under one
-- ARGV  1 trader  2 symbol  3 request_id  4 'ADJUST' or 'SET'  5 quantity  6 limit or ''  7 ts_ns
--       8 milliseconds the request is remembered  9 events policy  10 what the writer was told; and the fence
-- Returns {'applied' | 'repeat' | 'limit', sequence, position…}
--         {'duplicate'}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
--         {'seen', number, a repeat}: so far go the writer's events
--         {'lost', first number, any of these}: changes acknowledged before are gone

local content = table.concat({ ARGV[2], ARGV[4], ARGV[5], ARGV[6] }, ' ')
local before = compare_past(KEYS[4], ARGV[10])
local position = read_hash(KEYS[1])
local known = redis.call('GET', KEYS[3])
if known then
  local memory = recall(known, { 0, 0, #HELD })
  if not memory then return { 'corrupt', KEYS[3], ARGV[3], known } end
  local first, sequence, was = unpack(memory)
  if first ~= content then return with_loss(before, { 'duplicate' }) end
  position = rewind({ trader = ARGV[1], symbol = ARGV[2] }, HELD, was)
  return answer_repeat(KEYS[4], before, { 'repeat', sequence, hash_as_list(position) })
end
local refused = fence_refusal(KEYS[5], ARGV[#ARGV])
if refused then return refused end

local is_new = not position
position = position or flat_position(ARGV[1], ARGV[2])
local problem = position_problem(KEYS[1], position, ARGV[1], ARGV[2])
if problem then return problem end

local held, change = tonumber(position.quantity), tonumber(ARGV[5])
local quantity = change
if ARGV[4] == 'ADJUST' then
  if (change > 0 and held > MOST - change) or (change < 0 and held < -MOST - change) then
    return { 'overflow', 'quantity' }
  end
  quantity = held + change
end
if ARGV[6] ~= '' and math.abs(quantity) > tonumber(ARGV[6]) then
  return with_loss(before, { 'limit', '0', hash_as_list(position) })
end
redis.call('SCARD', KEYS[2])

local sequence, failed = append_event(KEYS[4], before, ARGV[9], {
  type = 'POSITION', ts_ns = ARGV[7], symbol = ARGV[2], request_id = ARGV[3], position_quantity = integer_text(quantity),
})
if failed then return failed end
if is_new then redis.call('SADD', KEYS[2], ARGV[2]) end
local changes = { quantity = integer_text(quantity), version = integer_text(tonumber(position.version) + 1), updated_ns = ARGV[7] }
if is_new then
  for field, value in pairs(position) do changes[field] = changes[field] or value end
end
write_hash(KEYS[1], position, changes)
redis.call('SET', KEYS[3], cjson.encode({ content, sequence, snapshot(position, HELD) }), 'PX', ARGV[8])
publish_event()
return with_loss(before, { 'applied', sequence, hash_as_list(position) })
