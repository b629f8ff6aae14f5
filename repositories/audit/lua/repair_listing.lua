-- List a symbol that has a position, or remove one that has none.
-- KEYS positions    the set of the trader's symbols
-- Touches the position
-- ARGV base      what the trader's keys begin with
--      symbol    to list or remove
--      listed    '1' to list it, '0' to remove it
-- Returns 'applied'  'repeat': it is so already  'changed': the position came or went since it was compared

if redis.call('EXISTS', ARGV.base .. 'position:' .. ARGV.symbol) ~= tonumber(ARGV.listed) then return 'changed' end
local changed
if ARGV.listed == '1' then
  changed = redis.call('SADD', KEYS.positions, ARGV.symbol)
else
  changed = redis.call('SREM', KEYS.positions, ARGV.symbol)
end
return changed == 1 and 'applied' or 'repeat'
