-- Let a session's life begin again now.
-- Uses coordination/session, coordination/integers, changes/hashes, changes/clock, changes/numbers,
--      changes/expiring_index
-- KEYS session
--      sessions    the index of the trader's sessions
-- ARGV digest      of the secret that leads to the session
-- Returns {'session', {field, value, …}}
--         {'gone'}: there is none, or it was revoked
--         {'corrupt', key, field, value}

local session = read_hash(KEYS.session)
if not session or session.revoked then return { 'gone' } end
local corrupt = corrupt_integer(KEYS.session, session, { 'ttl_ms' })
if corrupt then return corrupt end
local index = read_index(KEYS.sessions)

local expiry = integer_text(now_ms() + tonumber(session.ttl_ms))
redis.call('PEXPIREAT', KEYS.session, expiry)
enter_index(index, ARGV.digest, expiry)
write_index(index)
return session_reply(KEYS.session, session)
