-- A load has come to nothing: give the lease back, and remember why for as long as nobody is to try again.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds  3 why; '' remembers nothing
-- Returns 1 when the lease was the caller's

recall(KEYS[1], KEYS[2])
if notes.lease ~= ARGV[1] then return 0 end
drop('lease')
if ARGV[3] ~= '' then note('failed', ARGV[3], ARGV[2]) end
save(KEYS[2])
return 1
