-- Bring one entry of an index in line with its order, if both are as they were compared.
-- Uses changes/expiring_index, audit/own_index
-- KEYS index
-- Touches the order, and the set beside an index of an own field
-- ARGV base        what the trader's keys begin with
--      order_id    of the entry
--      stored      when the entry expires as compared, '' for no entry
--      expected    when it should, '' for no entry
-- Returns 'applied'  'repeat': it is in line already  'changed': entry or order is not what was compared

local index, base, id = KEYS.index, ARGV.base, ARGV.order_id
local key = base .. 'order:' .. id
local order = redis.call('HMGET', key, 'status', 'symbol', CONSTANTS.OWN_NAMES)
local wanted, is_in_own = '', false
for name in string.gmatch(order[3] or '', '%S+') do
  local text = redis.call('HMGET', key, '+' .. name)[1]
  is_in_own = is_in_own or (text and index == base .. 'orders_by_+' .. name .. ':' .. text)
end
if (order[1] and index == base .. 'orders_by_status:' .. order[1])
  or (order[2] and index == base .. 'orders_by_symbol:' .. order[2]) or is_in_own then
  local expiry = redis.call('PEXPIRETIME', key)
  wanted = expiry == -1 and 'inf' or string.format('%.0f', expiry)
end
local beside, size = beside_own_field(base, index), redis.call('ZCARD', index)
local score = (beside and score_of(redis.call, index, beside, id) or not beside and redis.call('ZSCORE', index, id)) or ''
if score == wanted then return 'repeat' end
if score ~= ARGV.stored or wanted ~= ARGV.expected then return 'changed' end

if beside then
  write_entry(index, beside, id, wanted)
elseif wanted ~= '' then
  redis.call('ZADD', index, wanted, id)
  renew_index_expiry(index)
else
  redis.call('ZREM', index, id)
  if size > 1 then renew_index_expiry(index) end
end
return 'applied'
