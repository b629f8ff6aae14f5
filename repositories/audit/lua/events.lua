-- Some of a book's events, and where its stream begins and ends at that moment.
-- Uses audit/reading
-- KEYS  1 events
-- ARGV  1 the id after which to begin  2 how many
-- Returns {first id kept or '', last sequence, entry…}

local entries = ask('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local first = ask('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
return { first and first[1] or '', last_sequence(KEYS[1]), unpack(entries) }
