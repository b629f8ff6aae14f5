-- Remove a terminal order before it expires; when it is gone already, nothing changes.
-- Uses changes/hashes, changes/fence, changes/expiring_index, orders/order_record
-- KEYS  1 order  2 applied  3 the lock, of a change under one; and, by the order's symbol and status, its indexes
-- ARGV  1 base of the trader's keys; and the fence
-- Returns {'applied'}  {'open', status}  {'corrupt', key, field, value}  {'fence', lock, fence}

local order = read_hash(KEYS[1])
if not order then return { 'applied' } end
local problem = order_problem(KEYS[1], ARGV[1], order) or fence_refusal(KEYS[3], ARGV[#ARGV])
if problem then return problem end
if OPEN[order.status] then return { 'open', order.status } end
local of_symbol = read_index(ARGV[1] .. 'orders_by_symbol:' .. order.symbol)
local of_status = read_index(ARGV[1] .. 'orders_by_status:' .. order.status)
redis.call('HLEN', KEYS[2])

redis.call('UNLINK', KEYS[1])
redis.call('UNLINK', KEYS[2])
remove_from_index(of_symbol, order.order_id)
remove_from_index(of_status, order.order_id)
return { 'applied' }
