-- Read some of a book's events, where its stream begins and ends at that moment, and what the header says then.
-- Uses audit/read_keys
-- KEYS book      the header
--      events
-- ARGV after    the id after which to begin
--      count    how many entries at most
-- Returns {first id kept or '', last sequence, highest deleted sequence, {field of the header, value, …}, entry…}

local header = read_key('HGETALL', KEYS.book)
local entries = read_key('XRANGE', KEYS.events, '(' .. ARGV.after, '+', 'COUNT', ARGV.count)
local first = read_key('XRANGE', KEYS.events, '-', '+', 'COUNT', 1)[1]
return { first and first[1] or '', last_sequence(KEYS.events), deleted_sequence(KEYS.events), header, unpack(entries) }
