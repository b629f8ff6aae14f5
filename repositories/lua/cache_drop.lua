-- Remove an entry and what is known about it. Loads that are under way are not kept any more.
-- KEYS  1 entry  2 notes about it
-- Returns 1 when there was one

recall(KEYS[1], KEYS[2])
drop('lease', 'failed', 'absent')
redis.call('UNLINK', KEYS[1])
save(KEYS[2])
return held and 1 or 0
