-- Change a value if it is as expected, once for each request.
-- Uses changes/hashes, changes/clock, changes/numbers, coordination/integers
-- KEYS value
--      last_version   of a value that expires, which outlives it
--      request        remembers that this request changed the value
-- ARGV field          'version' or 'value': what is compared
--      expected       what that field must be; version 0 for no value
--      new_value
--      ttl            how long the value lives, in milliseconds, '' for ever
--      request_ttl    how long the request is remembered, in milliseconds
--      version_ttl    how long the version of a value that expires is known, in milliseconds
-- Returns {'swapped', version}: now, or before by the same request
--         {'other', version, value}: it is not as expected; version '0' and no value when there is none
--         {'duplicate'}: the request changed the value in another way
--         {'corrupt', key, field, value}

local content = redis.sha1hex(
  table.concat({ ARGV.field, #ARGV.expected, ARGV.expected, ARGV.ttl, ARGV.new_value }, ' ')
)
local stored = read_hash(KEYS.value)
if stored then
  local corrupt = corrupt_integer(KEYS.value, stored, { 'version' })
  if corrupt then return corrupt end
  if not stored.value then return { 'corrupt', KEYS.value, 'value', '' } end
end
local remembered = redis.call('GET', KEYS.request)
if remembered then
  local first_content, version = string.match(remembered, '^(%x+) (%d+)$')
  if first_content ~= content then return { 'duplicate' } end
  return { 'swapped', version }
end

stored = stored or { version = '0' }
if stored[ARGV.field] ~= ARGV.expected then return { 'other', stored.version, stored.value } end
-- The time is above every version of a value that was stored here before and has expired, unless the clock has gone back.
local last = tonumber(redis.call('GET', KEYS.last_version) or 0) or 0
local version = integer_text(math.max(tonumber(stored.version) + 1, last + 1, now_us()))
redis.call('HSET', KEYS.value, 'value', ARGV.new_value, 'version', version)
if ARGV.ttl == '' then
  redis.call('PERSIST', KEYS.value)
else
  redis.call('PEXPIRE', KEYS.value, ARGV.ttl)
  redis.call('SET', KEYS.last_version, version, 'PX', ARGV.version_ttl)
end
redis.call('SET', KEYS.request, content .. ' ' .. version, 'PX', ARGV.request_ttl)
return { 'swapped', version }
