-- Keep what was loaded, unless the lease is gone: then something newer has happened meanwhile, or it took too long.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds to keep it  3… fields; none when the database has no such key
-- Returns 1 when it was kept

recall(KEYS[1], KEYS[2])
if notes.lease ~= ARGV[1] then return 0 end
local ends = notes.kept_until
drop('lease', 'failed', 'absent')
local in_time, exists = not ends or now < ends, #ARGV > 2
if in_time and exists then keep(KEYS[1], ARGV[2], ends, ARGV, 3) end
if in_time and not exists then note('absent', '1', math.min(tonumber(ARGV[2]), ends and ends - now or math.huge)) end
save(KEYS[2])
if in_time and not exists then redis.call('UNLINK', KEYS[1]) end
return in_time and 1 or 0
