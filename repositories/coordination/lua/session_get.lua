-- Read one session.
-- Uses coordination/session, changes/hashes
-- KEYS session
-- Returns {'session', {field, value, …}}
--         {'gone'}: there is none, or it was revoked

local session = read_hash(KEYS.session)
if not session or session.revoked then return { 'gone' } end
return session_reply(KEYS.session, session)
