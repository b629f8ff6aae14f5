-- List a position that is there, or remove one from the list that is not.
-- KEYS positions    the set that lists positions by their names
-- Touches the position
-- ARGV base      what the keys of the positions begin with
--      name      of the position to list or remove
--      listed    '1' to list it, '0' to remove it
-- Returns 'applied'  'repeat': it is so already  'changed': the position came or went since it was compared

if redis.call('EXISTS', ARGV.base .. ARGV.name) ~= tonumber(ARGV.listed) then return 'changed' end
local changed
if ARGV.listed == '1' then
  changed = redis.call('SADD', KEYS.positions, ARGV.name)
else
  changed = redis.call('SREM', KEYS.positions, ARGV.name)
end
return changed == 1 and 'applied' or 'repeat'
