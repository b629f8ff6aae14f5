-- Remove a terminal order before it expires; when it is gone already, nothing changes.
-- KEYS  1 order  2 applied  3 the lock, of a change under one; and, by the order's symbol and status, its indexes
-- ARGV  1 base of the trader's keys; and the fence
-- Returns {'applied'}  {'open', status}  {'corrupt', key, field, value}  {'fence', lock, fence}

local order = record(KEYS[1])
if not order then return { 'applied' } end
local problem = unfit(KEYS[1], ARGV[1], order) or fenced(KEYS[3], ARGV[#ARGV])
if problem then return problem end
if OPEN[order.status] then return { 'open', order.status } end
local keys, sizes = survey(ARGV[1], order, order.status)
local of_symbol = redis.call('ZCARD', keys.symbol)

redis.call('UNLINK', KEYS[1])
redis.call('UNLINK', KEYS[2])
leave(keys.symbol, order.order_id, of_symbol)
leave(keys.from, order.order_id, sizes.from)
return { 'applied' }
