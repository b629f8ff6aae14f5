-- Keep a value, whatever was there. Loads that are under way are not kept any more.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- ARGV  1 milliseconds to keep it  2… fields
-- Returns 1

recall(KEYS[1], KEYS[2])
drop('lease', 'failed', 'absent')
keep(KEYS[1], ARGV[1], first_write_ends(), ARGV, 2)
save(KEYS[2])
return 1
