-- The beginning of every script of a lock: a hash that outlives its holders, so that a fence never comes again.
--   owner     the token of the last holder
--   fence     its fence
--   ends_ms   when its lease ends, 0 once it was released
--   lease_ms  how long it was when it began
--   lost      the fences of the last leases that ran out, each of 16 digits after a space
-- Uses changes/hashes, changes/clock, changes/numbers, coordination/integers
-- KEYS  1 lock
-- ARGV  1 token
-- Returns {'corrupt', key, field, value}

local LOST_KEPT = 16 * 17

local token = ARGV[1]
local lock = read_hash(KEYS[1]) or { fence = '0', ends_ms = '0' }
local problem = unreadable(KEYS[1], lock, { 'fence', 'ends_ms' })
if problem then return problem end
local now, ends = now_ms(), tonumber(lock.ends_ms)

-- The fields of a lease that begins now.
local function leased(milliseconds)
  return { 'ends_ms', integer_text(now + tonumber(milliseconds)), 'lease_ms', milliseconds }
end
