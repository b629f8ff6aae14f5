-- Let a session's life begin again now.
-- Uses coordination/session, coordination/integers, changes/hashes, changes/expiring_index
-- KEYS session
--      sessions      the index of the trader's sessions
-- ARGV digest        of the secret that leads to the session
--      remembered    for how long a request to create it may be sent again, in milliseconds
-- Returns {'session', {field, value, …}}
--         {'gone'}: there is none, it has expired or was revoked
--         {'corrupt', key, field, value}

local session = read_hash(KEYS.session)
local over = reply_if_over(KEYS.session, session) or corrupt_integer(KEYS.session, session, { 'ttl_ms' })
if over then return over end
local index = read_index(KEYS.sessions)

local expiry = begin_life(KEYS.session, session, {}, tonumber(session.ttl_ms), tonumber(ARGV.remembered))
enter_index(index, ARGV.digest, expiry)
write_index(index)
return session_reply(session)
