-- Read some of a book's events, the number of the last one that it ever had, and the latest time of all that it ever had.
-- KEYS book     the header
--      events
-- ARGV after    the number of the event after which to begin
--      count    how many at most
-- Returns {last number, latest time or '', event…}

local last, latest_ns = unpack(redis.call('HMGET', KEYS.book, 'sequence', 'latest_ns'))
return { last or '0', latest_ns or '', unpack(redis.call('XRANGE', KEYS.events, '(' .. ARGV.after .. '-0', '+', 'COUNT', ARGV.count)) }
