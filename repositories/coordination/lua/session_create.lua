-- Create a session, unless it exists already.
-- Uses coordination/session, changes/hashes, changes/clock, changes/numbers, changes/expiring_index
-- KEYS session
--      sessions    the index of the trader's sessions
-- ARGV digest      of the secret that leads to the session
--      ttl         how long it lives, in milliseconds
--      data        in JSON
-- Returns {'session', {field, value, …}}: created now, or before with the same content
--         {'duplicate'}: created before with other content
--         {'gone'}: it was revoked

local session = read_hash(KEYS.session)
if session then
  if session.revoked then return { 'gone' } end
  if session.ttl_ms ~= ARGV.ttl or session.data ~= ARGV.data then return { 'duplicate' } end
  return session_reply(KEYS.session, session)
end
local index = read_index(KEYS.sessions)

local now = now_ms()
local expiry = integer_text(now + tonumber(ARGV.ttl))
session = {}
write_hash(KEYS.session, session, { created_ms = integer_text(now), ttl_ms = ARGV.ttl, data = ARGV.data })
redis.call('PEXPIREAT', KEYS.session, expiry)
enter_index(index, ARGV.digest, expiry)
write_index(index)
return session_reply(KEYS.session, session)
