-- The database is about to be written: nothing that is older may outlive the write by more than its window.
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds of the window
-- Returns 1

recall(KEYS[1], KEYS[2])
local window, mine = tonumber(ARGV[2]), 'writing:' .. ARGV[1]
if not stands('writer') then
  end_writes()
elseif not notes[mine] then
  notes.contested = '1'
  window = math.max(window, tonumber(remains('writer')))
end
notes[mine] = '1'
note('writer', '1', window)
if stands('absent') then note('absent', '1', at_most(remains('absent'))) end
local left = redis.call('PTTL', KEYS[1])
if left == -1 or left > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
save(KEYS[2])
return 1
