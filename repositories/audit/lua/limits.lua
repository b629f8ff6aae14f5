-- Read the limits of a trader, and what the header says of them and of the switch of trading, at one moment.
-- Uses audit/read_keys
-- KEYS book
--      events
--      limits
-- Returns {last sequence, switch, marker or nil, {field, text, …}}

local header = redis.call('HMGET', KEYS.book, 'trading', 'limits')
return { last_sequence(KEYS.events), header[1] or '', header[2], read_key('HGETALL', KEYS.limits) }
