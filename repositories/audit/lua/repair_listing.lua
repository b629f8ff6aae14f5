-- List a symbol whose position is there, or strike one whose position is not.
-- KEYS  1 positions; and the position
-- ARGV  1 base of the trader's keys  2 symbol  3 '1' to list it, '0' to strike it
-- Returns 'applied'  'repeat': it is so already  'changed': the position came or went since it was compared

if redis.call('EXISTS', ARGV[1] .. 'position:' .. ARGV[2]) ~= tonumber(ARGV[3]) then return 'changed' end
local changed = redis.call(ARGV[3] == '1' and 'SADD' or 'SREM', KEYS[1], ARGV[2])
return changed == 1 and 'applied' or 'repeat'
