-- Write fields of an order, if it is as it was compared: every change of an order raises its version.
-- Uses changes/hashes, audit/compare_hash
-- KEYS order
-- ARGV stored_size    how many fields the order had when it was compared
--      fields...      those fields and their values, then the fields to write and their values, '' for one to clear
-- Returns 'applied'  'changed': the order is not what was compared

local order, size = read_hash(KEYS.order), tonumber(ARGV.stored_size)
if not order or not is_as_compared(order, ARGV, FIRST.fields, size) then return 'changed' end
write_hash(KEYS.order, order, changes_in(ARGV, FIRST.fields + 2 * size))
return 'applied'
