-- Store a value, whatever is cached. Loads under way are not stored any more.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- ARGV lifetime    of the entry in milliseconds
--      fields...   names and values
-- Returns 1

read_state(KEYS.entry, KEYS.load_state)
forget('lease', 'failed', 'absent')
store_entry(KEYS.entry, ARGV.lifetime, first_write_ends(), ARGV, FIRST.fields)
save_state(KEYS.load_state)
return 1
