-- Read orders with everything that is stored of them, at one moment.
-- Uses audit/own_index, audit/read_keys
-- KEYS events
-- Touches the orders, what is recorded with them, their other ids, their indexes, and the sets beside those of own fields
-- ARGV base                  what the trader's keys begin with
--      enough_fields         how many hash fields are enough, after which no more orders are read
--      ids_and_indexes...    for each order its id, a number, and that many indexes in which it was seen
-- Returns {last sequence, now in ms, order…}: at least one order; each
--         {id, expiry, {field, value, …}, expiry of what is recorded, {field, value, …}, {index, when its entry expires, …},
--         {other id, {the order that it names, expiry, 1, 1 for an order with this id}, …}}

local base, enough = ARGV.base, tonumber(ARGV.enough_fields)
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local found, fields, i = { last_sequence(KEYS.events), now }, 0, FIRST.ids_and_indexes

while ARGV[i] and fields < enough do
  local id, seen_in = ARGV[i], tonumber(ARGV[i + 1])
  local order_key, recorded_key = base .. 'order:' .. id, base .. 'applied:' .. id
  local order, recorded = read_key('HGETALL', order_key), read_key('HGETALL', recorded_key)
  local indexes, scores, aliases = {}, {}, {}
  for n = 1, #recorded, 2 do
    if string.sub(recorded[n], 1, 6) == 'alias:' then
      local key = base .. recorded[n]
      local is_order = redis.call('EXISTS', base .. 'order:' .. string.sub(recorded[n], 7))
      aliases[#aliases + 1] = string.sub(recorded[n], 7)
      aliases[#aliases + 1] = { read_key('GET', key) or '', redis.call('PEXPIRETIME', key), 1, is_order }
    end
  end
  for _, status in ipairs(CONSTANTS.STATUSES) do
    indexes[base .. 'orders_by_status:' .. status] = true
  end
  for n = 1, seen_in do indexes[ARGV[i + 1 + n]] = true end
  local values = {}
  for n = 1, #order, 2 do values[order[n]] = order[n + 1] end
  if values.symbol then indexes[base .. 'orders_by_symbol:' .. values.symbol] = true end
  for name in string.gmatch(values[CONSTANTS.OWN_NAMES] or '', '%S+') do
    local text = values['+' .. name]
    if text then indexes[base .. 'orders_by_+' .. name .. ':' .. text] = true end
  end
  for index in pairs(indexes) do
    local beside = beside_own_field(base, index)
    local score = beside and score_of(read_key, index, beside, id) or not beside and read_key('ZSCORE', index, id)
    if score then
      scores[#scores + 1] = index
      scores[#scores + 1] = score
    end
  end
  found[#found + 1] = {
    id, redis.call('PEXPIRETIME', order_key), order, redis.call('PEXPIRETIME', recorded_key), recorded, scores, aliases,
  }
  fields = fields + #order / 2 + #recorded / 2 + #aliases / 2
  i = i + 2 + seen_in
end
return found
