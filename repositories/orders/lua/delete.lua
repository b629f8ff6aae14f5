-- Remove a terminal order before it expires; when it is gone already, nothing changes.
-- Uses changes/hashes, changes/fence, changes/expiring_index, orders/order_record
-- KEYS order
--      applied   what was applied to the order
--      lock?     of a change under a lock
-- Touches the indexes of the order's symbol and status
-- ARGV base      what the trader's keys begin with
--      fence     of the lock, '' without one
-- Returns {'applied'}  {'open', status}  {'corrupt', key, field, value}  {'fence', lock, fence}

local order = read_hash(KEYS.order)
if not order then return { 'applied' } end
local problem = order_problem(KEYS.order, ARGV.base, order) or fence_refusal(KEYS.lock, ARGV.fence)
if problem then return problem end
if OPEN_STATUSES[order.status] then return { 'open', order.status } end
local of_symbol = read_index(ARGV.base .. 'orders_by_symbol:' .. order.symbol)
local of_status = read_index(ARGV.base .. 'orders_by_status:' .. order.status)
redis.call('HLEN', KEYS.applied)

redis.call('UNLINK', KEYS.order)
redis.call('UNLINK', KEYS.applied)
remove_from_index(of_symbol, order.order_id)
remove_from_index(of_status, order.order_id)
return { 'applied' }
