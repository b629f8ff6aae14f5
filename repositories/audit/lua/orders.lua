-- Orders with all that is stored of them, at one moment.
-- Uses audit/reading
-- KEYS  1 events; and the orders, what was applied to them, and their indexes
-- ARGV  1 base of the trader's keys  2 how many hash fields are enough  3.. for each order its id, a number, and so many
--       symbols in whose index it was seen
-- Returns {last sequence, now, order…}: at least one order, and no more once there are fields enough; each
--         {id, expiry, {field, value, …}, applied's expiry, {field, value, …}, {index, score, …}}

local base, enough = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local found, fields, i = { last_sequence(KEYS[1]), now }, 0, 3

while ARGV[i] and fields < enough do
  local id, symbols = ARGV[i], tonumber(ARGV[i + 1])
  local order, applied = base .. 'order:' .. id, base .. 'applied:' .. id
  local stored, recorded = ask('HGETALL', order), ask('HGETALL', applied)
  local indexes, scores = {}, {}
  for _, status in ipairs(CONSTANTS.STATUSES) do
    indexes[base .. 'orders_by_status:' .. status] = true
  end
  for n = 1, symbols do indexes[base .. 'orders_by_symbol:' .. ARGV[i + 1 + n]] = true end
  for n = 1, #stored, 2 do
    if stored[n] == 'symbol' then indexes[base .. 'orders_by_symbol:' .. stored[n + 1]] = true end
  end
  for index in pairs(indexes) do
    local score = ask('ZSCORE', index, id)
    if score then
      scores[#scores + 1] = index
      scores[#scores + 1] = score
    end
  end
  found[#found + 1] = {
    id, redis.call('PEXPIRETIME', order), stored, redis.call('PEXPIRETIME', applied), recorded, scores,
  }
  fields = fields + #stored / 2 + #recorded / 2
  i = i + 2 + symbols
end
return found
