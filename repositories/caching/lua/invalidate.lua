-- Remove an entry and what is known about it: the database has been changed. Loads and writes that are under way are not
-- kept any more: nobody can tell whether they came before that or after it.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- Returns 1 when there was one

recall(KEYS[1], KEYS[2])
drop('lease', 'failed', 'absent')
if first_write_ends() then notes.contested = '1' end
redis.call('UNLINK', KEYS[1])
save(KEYS[2])
return held and 1 or 0
