-- Open a session, unless it is there already.
-- Uses coordination/session, changes/clock, changes/expiring_index
-- KEYS  1 session  2 sessions
-- ARGV  1 digest  2 milliseconds it lives  3 data
-- Returns {'session', {field, value, …}}: created now, or before with the same content  {'duplicate'}  {'gone'}: revoked

local session = read_hash(KEYS[1])
if session then
  if session.revoked then return { 'gone' } end
  if session.ttl_ms ~= ARGV[2] or session.data ~= ARGV[3] then return { 'duplicate' } end
  return shown(KEYS[1], session)
end
local index = read_index(KEYS[2])

local now = now_ms()
local expiry = integer_text(now + tonumber(ARGV[2]))
session = {}
write_hash(KEYS[1], session, { created_ms = integer_text(now), ttl_ms = ARGV[2], data = ARGV[3] })
redis.call('PEXPIREAT', KEYS[1], expiry)
add_to_index(index, ARGV[1], expiry)
return shown(KEYS[1], session)
