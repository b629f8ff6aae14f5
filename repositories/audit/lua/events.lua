-- Read some of a book's events, and where its stream begins and ends at that moment.
-- Uses audit/read_keys
-- KEYS events
-- ARGV after    the id after which to begin
--      count    how many entries at most
-- Returns {first id kept or '', last sequence, entry…}

local entries = read_key('XRANGE', KEYS.events, '(' .. ARGV.after, '+', 'COUNT', ARGV.count)
local first = read_key('XRANGE', KEYS.events, '-', '+', 'COUNT', 1)[1]
return { first and first[1] or '', last_sequence(KEYS.events), unpack(entries) }
