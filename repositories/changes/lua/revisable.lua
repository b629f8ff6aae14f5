-- Read what is to be known of an order, of one of its executions and of its position before an execution is revised.
-- KEYS order        by the id that the report names, which may be another than the order's own
--      applied      what was applied to it
--      events
-- Touches the order of another id, what was applied to it, the position in its symbol, and that of its account in it
-- ARGV base         what the trader's keys begin with
--      order_id     the id that the report names
--      exec_id      the report, or a fill
--      exec_ref_id  the execution that it revises, or a correction of that; '' for a fill
-- Returns {}: there is no such order
--         {order id, symbol, side, multiplier, 1 when the exec_id is remembered, number of the event of the execution, number
--         of the last event that has left the position's cost approximate, account, the same number of its position}: '' for
--         none, '0' for one that is not known

local id, order, applied, fields = ARGV.order_id, KEYS.order, KEYS.applied, redis.call('HMGET', KEYS.order, 'symbol', 'side', 'multiplier', 'account')
if not fields[1] then
  id = redis.call('GET', ARGV.base .. 'alias:' .. id)
  if not id then return {} end
  order, applied = ARGV.base .. 'order:' .. id, ARGV.base .. 'applied:' .. id
  fields = redis.call('HMGET', order, 'symbol', 'side', 'multiplier', 'account')
end
local symbol, side, multiplier, account = unpack(fields)
if not symbol or not side then return {} end

-- Return what is remembered of an execution, nil when nothing is: that of an order's first change is in the order.
local function remembered(exec_id)
  return redis.call('HGET', order, 'fill:' .. exec_id) or redis.call('HGET', applied, 'fill:' .. exec_id)
end

local root = ARGV.exec_ref_id ~= '' and redis.call('HGET', applied, 'root:' .. ARGV.exec_ref_id) or ARGV.exec_ref_id
local number = string.match(remembered(root) or '', '^%d+') or ''
if number ~= '' and #redis.call('XRANGE', KEYS.events, number .. '-0', number .. '-0') == 0 then number = '0' end

-- Return the number of the last event that has left a position's cost approximate.
local function approximated(position)
  return redis.call('HGET', position, 'approximated') or redis.call('EXISTS', position) == 0 and '0' or ''
end

local of_account = ''
if account then
  local escaped = string.gsub(account, '[%%:]', { ['%'] = '%25', [':'] = '%3A' })
  of_account = approximated(ARGV.base .. 'account_position:' .. escaped .. ':' .. symbol)
end
return {
  id, symbol, side, multiplier or '1', remembered(ARGV.exec_id) and 1 or 0, number,
  approximated(ARGV.base .. 'position:' .. symbol), account or '', of_account,
}
