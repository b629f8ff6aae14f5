-- The database is about to be written: nothing that is older may outlive the write by more than its window. That goes for
-- what is cached, and for what is being loaded, which may have been read from the database before it was written.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds of the window
-- Returns 1

recall(KEYS[1], KEYS[2])
local mine = 'writing:' .. ARGV[1]
if not notes[mine] then
  if first_write_ends() then notes.contested = '1' end
  notes[mine] = now + tonumber(ARGV[2])
end
if notes.lease then notes.kept_until = math.min(notes.kept_until or math.huge, notes[mine]) end
if notes.absent then notes.absent_until = math.min(notes.absent_until, notes[mine]) end
save(KEYS[2])
local left, window = redis.call('PTTL', KEYS[1]), notes[mine] - now
if left == -1 or left > window then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', window)) end
return 1
