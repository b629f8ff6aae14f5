-- Keep what was loaded, unless the lease is gone: then something newer has happened meanwhile.
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds to keep it  3… fields; none when the database has no such key
-- Returns 1 when it was kept

recall(KEYS[1], KEYS[2])
if notes.lease ~= ARGV[1] then return 0 end
drop('lease', 'failed', 'absent')
if #ARGV > 2 then
  keep(KEYS[1], ARGV[2], ARGV, 3)
else
  redis.call('DEL', KEYS[1])
  note('absent', '1', at_most(ARGV[2]))
end
save(KEYS[2])
return 1
