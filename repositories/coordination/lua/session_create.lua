-- Create a session, unless it exists already.
-- Uses coordination/session, changes/hashes, changes/clock, changes/numbers, changes/expiring_index
-- KEYS session
--      sessions      the index of the trader's sessions
-- ARGV digest        of the secret that leads to the session
--      ttl           how long it lives, in milliseconds
--      data          in JSON
--      remembered    for how long this request may be sent again, in milliseconds
-- Returns {'session', {field, value, …}}: created now, or before with the same content
--         {'duplicate'}: created before with other content
--         {'gone'}: it was revoked

local session = read_hash(KEYS.session)
if session then
  if session.revoked then return { 'gone' } end
  if session.ttl_ms ~= ARGV.ttl or session.data ~= ARGV.data then return { 'duplicate' } end
  return session_reply(session)
end
local index = read_index(KEYS.sessions)

session = {}
local fields = { created_ms = integer_text(now_ms()), ttl_ms = ARGV.ttl, data = ARGV.data }
local expiry = begin_life(KEYS.session, session, fields, tonumber(ARGV.ttl), tonumber(ARGV.remembered))
enter_index(index, ARGV.digest, expiry)
write_index(index)
return session_reply(session)
