-- Remove an entry after its source was changed elsewhere. Loads and writes under way are not stored any more, because
-- it is unknown whether they came before the change or after it.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- Returns 1 when there was an entry, 0 when not

read_state(KEYS.entry, KEYS.load_state)
forget('lease', 'failed', 'absent')
if first_write_ends() then state.contested = '1' end
redis.call('UNLINK', KEYS.entry)
save_state(KEYS.load_state)
return is_cached and 1 or 0
