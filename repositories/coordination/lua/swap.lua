-- Change a value if it is as expected, once.
-- Uses changes/hashes, changes/clock, changes/numbers, coordination/integers
-- KEYS  1 value  2 request
-- ARGV  1 'version' or 'value': what is expected  2 the expected one  3 new value  4 milliseconds it lives, '' for ever
--       5 milliseconds the request is remembered
-- Returns {'swapped', version}: now, or before by the same request
--         {'other', version, value}: not as expected, '0' and no value when there is none
--         {'duplicate'}  {'corrupt', key, field, value}

local content = redis.sha1hex(table.concat({ ARGV[1], #ARGV[2], ARGV[2], ARGV[4], ARGV[3] }, ' '))
local stored = read_hash(KEYS[1])
if stored then
  local problem = unreadable(KEYS[1], stored, { 'version' })
  if problem then return problem end
  if not stored.value then return { 'corrupt', KEYS[1], 'value', '' } end
end
local known = redis.call('GET', KEYS[2])
if known then
  local first, version = string.match(known, '^(%x+) (%d+)$')
  if first ~= content then return { 'duplicate' } end
  return { 'swapped', version }
end

stored = stored or { version = '0' }
if stored[ARGV[1]] ~= ARGV[2] then return { 'other', stored.version, stored.value } end
-- Above every version of a value that was here before and has expired.
local version = integer_text(math.max(tonumber(stored.version) + 1, now_us()))
redis.call('HSET', KEYS[1], 'value', ARGV[3], 'version', version)
if ARGV[4] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
redis.call('SET', KEYS[2], content .. ' ' .. version, 'PX', ARGV[5])
return { 'swapped', version }
