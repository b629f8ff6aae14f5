-- The database has been written: keep what it has, or, when another write has overlapped, nothing.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds to keep it  3… fields
-- Returns 1 when it was kept

recall(KEYS[1], KEYS[2])
local mine = 'writing:' .. ARGV[1]
local alone = notes[mine] and not notes.contested
notes[mine] = nil
drop('lease', 'failed', 'absent')
if not first_write_ends() then notes.contested = nil end
if alone then keep(KEYS[1], ARGV[2], nil, ARGV, 3) else redis.call('UNLINK', KEYS[1]) end
save(KEYS[2])
return alone and 1 or 0
