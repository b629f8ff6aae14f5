-- Change a position without an order, once: by a difference, to a value, or by a difference within a limit.
-- KEYS  1 position  2 positions  3 request  4 events; and the lock, of a change under one
-- ARGV  1 trader  2 symbol  3 request_id  4 'ADJUST' or 'SET'  5 quantity  6 limit or ''  7 ts_ns
--       8 milliseconds the request is remembered  9 events kept; and the fence
-- Returns {'applied' | 'repeat' | 'limit', sequence, position…}
--         {'duplicate'}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}

local content = table.concat({ ARGV[2], ARGV[4], ARGV[5], ARGV[6] }, ' ')
local position = record(KEYS[1])
local known = redis.call('GET', KEYS[3])
if known then
  local first, sequence, was = unpack(cjson.decode(known))
  if first ~= content then return { 'duplicate' } end
  return { 'repeat', sequence, flat(rewind({ trader = ARGV[1], symbol = ARGV[2] }, HELD, was)) }
end
local refused = fenced(KEYS[5])
if refused then return refused end

local is_new = not position
position = position or {
  trader = ARGV[1], symbol = ARGV[2], quantity = '0', bought_quantity = '0', sold_quantity = '0',
  bought_notional = '0', sold_notional = '0', version = '0',
}
local problem = corrupt(KEYS[1], position, { 'quantity', 'bought_quantity', 'sold_quantity', 'version' },
  { 'bought_notional', 'sold_notional' })
if problem then return problem end

local held, change = tonumber(position.quantity), tonumber(ARGV[5])
local quantity = change
if ARGV[4] == 'ADJUST' then
  if (change > 0 and held > MOST - change) or (change < 0 and held < -MOST - change) then
    return { 'overflow', 'quantity' }
  end
  quantity = held + change
end
if ARGV[6] ~= '' and math.abs(quantity) > tonumber(ARGV[6]) then return { 'limit', '0', flat(position) } end
local sequence = last_sequence(KEYS[4]) + 1
redis.call('SCARD', KEYS[2])

if is_new then redis.call('SADD', KEYS[2], ARGV[2]) end
local changes = { quantity = whole(quantity), version = whole(tonumber(position.version) + 1), updated_ns = ARGV[7] }
if is_new then
  for field, value in pairs(position) do changes[field] = changes[field] or value end
end
write(KEYS[1], position, changes)
redis.call('SET', KEYS[3], cjson.encode({ content, whole(sequence), snapshot(position, HELD) }), 'PX', ARGV[8])
append(KEYS[4], sequence, ARGV[9], {
  type = 'POSITION', ts_ns = ARGV[7], symbol = ARGV[2], request_id = ARGV[3], position_quantity = position.quantity,
})
return { 'applied', whole(sequence), flat(position) }
