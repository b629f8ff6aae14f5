-- Write fields of a position and list it, if it is as it was compared: every change of a position raises its version, and
-- every change of what is open of its orders is counted in it, so an equal hash proves that nothing has changed in sum.
-- Uses changes/hashes
-- KEYS position
--      positions    the set of the trader's symbols
-- ARGV symbol         of the position
--      stored_size    how many fields the position had when it was compared
--      fields...      those fields and their values, then the fields to write and their values, '' for one to clear
-- Returns 'applied'  'changed': the position is not what was compared

local position, missing = read_hash(KEYS.position) or {}, tonumber(ARGV.stored_size)
for field, value in pairs(position) do missing = missing - 1 end
if missing ~= 0 then return 'changed' end
local first_change = FIRST.fields + 2 * tonumber(ARGV.stored_size)
for i = FIRST.fields, first_change - 1, 2 do
  if position[ARGV[i]] ~= ARGV[i + 1] then return 'changed' end
end
-- Fails before anything is written when the set is a key of another type.
redis.call('SCARD', KEYS.positions)

local changes = {}
for i = first_change, #ARGV, 2 do changes[ARGV[i]] = ARGV[i + 1] end
write_hash(KEYS.position, position, changes)
redis.call('SADD', KEYS.positions, ARGV.symbol)
return 'applied'
