-- Let another id of an order name it, or nothing, if that is as it was compared.
-- KEYS alias
-- Touches the orders that it names and is to name, and what is recorded with them
-- ARGV base        what the trader's keys begin with
--      id          the other id
--      stored      the order that it names as compared, '' for none
--      expected    the order that it is to name, '' for none
-- Returns 'applied'  'repeat': it is so already  'changed': something is not what was compared

local base, field = ARGV.base, 'alias:' .. ARGV.id

-- Return when an order expires that has the id recorded, -2 when there is none.
local function expiry_of(order_id)
  if not redis.call('HGET', base .. 'applied:' .. order_id, field) then return -2 end
  return redis.call('PEXPIRETIME', base .. 'order:' .. order_id)
end

local named = redis.call('GET', KEYS.alias) or ''
if named == ARGV.expected then return 'repeat' end
if named ~= ARGV.stored then return 'changed' end
if named ~= '' and expiry_of(named) ~= -2 then return 'changed' end
if ARGV.expected == '' then
  if redis.call('HGET', base .. 'applied:' .. named, field) then return 'changed' end
  redis.call('UNLINK', KEYS.alias)
  return 'applied'
end
local expiry = expiry_of(ARGV.expected)
if expiry == -2 or redis.call('EXISTS', base .. 'order:' .. ARGV.id) == 1 then return 'changed' end
redis.call('SET', KEYS.alias, ARGV.expected)
if expiry ~= -1 then redis.call('PEXPIREAT', KEYS.alias, string.format('%.0f', expiry)) end
return 'applied'
