-- Write fields of a position and list it, if it is as it was compared: every change of a position raises its version, and
-- every change of what is open of its orders is counted in it, so an equal hash proves that nothing has changed in sum.
-- Uses changes/hashes, audit/compare_hash
-- KEYS position
--      positions    the set that lists it
-- ARGV name           by which it is listed
--      stored_size    how many fields the position had when it was compared
--      fields...      those fields and their values, then the fields to write and their values, '' for one to clear
-- Returns 'applied'  'changed': the position is not what was compared

local position, size = read_hash(KEYS.position) or {}, tonumber(ARGV.stored_size)
if not is_as_compared(position, ARGV, FIRST.fields, size) then return 'changed' end
-- Fails before anything is written when the set is a key of another type.
redis.call('SCARD', KEYS.positions)

write_hash(KEYS.position, position, changes_in(ARGV, FIRST.fields + 2 * size))
redis.call('SADD', KEYS.positions, ARGV.name)
return 'applied'
