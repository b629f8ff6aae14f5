-- Shared: the record of a lock, a hash that outlives its holders, so that no fence is ever granted twice.
--   owner     the token of the last holder
--   fence     the fence of the last holder
--   ends_ms   when the lease of the last holder ends, 0 once it was released
--   lease_ms  how long that lease is from its beginning
--   lost      the fences of the latest leases that ran out, each of 16 digits after a space
-- Uses changes/hashes, changes/numbers, coordination/integers

-- The length of `lost` when it is full: 16 fences.
local MAX_LOST_LENGTH = 16 * 17

-- Return the lock, or nil and the reply that says which of its fields cannot be read.
local function read_lock(key)
  local lock = read_hash(key) or { fence = '0', ends_ms = '0' }
  local corrupt = corrupt_integer(key, lock, { 'fence', 'ends_ms' })
  if corrupt then return nil, corrupt end
  return lock
end

-- Return the fields, and their values, of a lease that begins now.
local function lease_fields(now, lease_ms)
  return { 'ends_ms', integer_text(now + tonumber(lease_ms)), 'lease_ms', lease_ms }
end
