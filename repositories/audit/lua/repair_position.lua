-- Write fields of a position and list it, if it is as it was compared: every change of a position raises its version, so an
-- equal hash proves that none came meanwhile.
-- Uses changes/hashes
-- KEYS  1 position  2 positions
-- ARGV  1 symbol  2 how many fields it had when it was compared  3.. those fields and their values, then the fields to
--       write and their values, '' for one to clear
-- Returns 'applied'  'changed': the position is not what was compared

local stored, size = read_hash(KEYS[1]) or {}, tonumber(ARGV[2])
for field, value in pairs(stored) do size = size - 1 end
if size ~= 0 then return 'changed' end
local first = 3 + 2 * tonumber(ARGV[2])
for i = 3, first - 1, 2 do
  if stored[ARGV[i]] ~= ARGV[i + 1] then return 'changed' end
end
redis.call('SCARD', KEYS[2])

local changes = {}
for i = first, #ARGV, 2 do changes[ARGV[i]] = ARGV[i + 1] end
write_hash(KEYS[1], stored, changes)
redis.call('SADD', KEYS[2], ARGV[1])
return 'applied'
