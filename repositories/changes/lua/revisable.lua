-- Read what is to be known of an order, of one of its executions and of its position before an execution is revised.
-- KEYS order        by the id that the report names, which may be another than the order's own
--      applied      what was applied to it
--      events
-- Touches the order of another id, what was applied to it, and the position in its symbol
-- ARGV base         what the trader's keys begin with
--      order_id     the id that the report names
--      exec_id      the report, or a fill
--      exec_ref_id  the execution that it revises, or a correction of that; '' for a fill
-- Returns {}: there is no such order
--         {order id, symbol, side, multiplier, 1 when the exec_id is remembered, number of the event of the execution, number
--         of the last event that has left the position's cost approximate}: '' for none, '0' for one that is not known

local id, applied, fields = ARGV.order_id, KEYS.applied, redis.call('HMGET', KEYS.order, 'symbol', 'side', 'multiplier')
if not fields[1] then
  id = redis.call('GET', ARGV.base .. 'alias:' .. id)
  if not id then return {} end
  applied, fields = ARGV.base .. 'applied:' .. id, redis.call('HMGET', ARGV.base .. 'order:' .. id, 'symbol', 'side', 'multiplier')
end
local symbol, side, multiplier = unpack(fields)
if not symbol or not side then return {} end
local root = ARGV.exec_ref_id ~= '' and redis.call('HGET', applied, 'root:' .. ARGV.exec_ref_id) or ARGV.exec_ref_id
local number = string.match(redis.call('HGET', applied, 'fill:' .. root) or '', '^%d+') or ''
if number ~= '' and #redis.call('XRANGE', KEYS.events, number .. '-0', number .. '-0') == 0 then number = '0' end
local position = ARGV.base .. 'position:' .. symbol
local approximated = redis.call('HGET', position, 'approximated') or redis.call('EXISTS', position) == 0 and '0' or ''
return {
  id, symbol, side, multiplier or '1', redis.call('HGET', applied, 'fill:' .. ARGV.exec_id) and 1 or 0, number,
  approximated,
}
