-- Open a session, unless it is there already.
-- KEYS  1 session  2 sessions
-- ARGV  1 digest  2 milliseconds it lives  3 data
-- Returns {'session', {field, value, …}}: created now, or before with the same content  {'duplicate'}  {'gone'}: revoked

local session = record(KEYS[1])
if session then
  if session.revoked then return { 'gone' } end
  if session.ttl_ms ~= ARGV[2] or session.data ~= ARGV[3] then return { 'duplicate' } end
  return shown(KEYS[1], session)
end
local index = look(KEYS[2])

local now = now_ms()
local expiry = whole(now + tonumber(ARGV[2]))
session = {}
write(KEYS[1], session, { created_ms = whole(now), ttl_ms = ARGV[2], data = ARGV[3] })
redis.call('PEXPIREAT', KEYS[1], expiry)
enter(index, ARGV[1], expiry)
return shown(KEYS[1], session)
