-- Read some of a book's events, and the number of the last one that it ever had.
-- KEYS book     the header
--      events
-- ARGV after    the number of the event after which to begin
--      count    how many at most
-- Returns {last number, event…}

local last = redis.call('HGET', KEYS.book, 'sequence') or '0'
return { last, unpack(redis.call('XRANGE', KEYS.events, '(' .. ARGV.after .. '-0', '+', 'COUNT', ARGV.count)) }
