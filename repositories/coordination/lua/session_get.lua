-- Read one session.
-- Uses coordination/session, changes/hashes
-- KEYS session
-- Returns {'session', {field, value, …}}
--         {'gone'}: there is none, it has expired or was revoked
--         {'corrupt', key, field, value}

local session = read_hash(KEYS.session)
return reply_if_over(KEYS.session, session) or session_reply(session)
