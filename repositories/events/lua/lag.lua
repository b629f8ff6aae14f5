-- Count what a group has still to handle of a trader's events.
-- Uses events/group
-- KEYS events
-- ARGV group
--      since          the sequence number after which the group would begin if there is none yet
-- Returns {events that no consumer has been given, those that were given and not acknowledged}

if redis.call('EXISTS', KEYS.events) == 0 then return { 0, 0 } end
local last = end_of(KEYS.events, 'XREVRANGE', '+', '-')
local position = group_position(KEYS.events, ARGV.group)
local pending = position and redis.call('XPENDING', KEYS.events, ARGV.group)[1] or 0
position = position or tonumber(ARGV.since)
if position > last then position = 0 end
return { last - math.max(position, math.max(end_of(KEYS.events, 'XRANGE', '-', '+') - 1, 0)), pending }
