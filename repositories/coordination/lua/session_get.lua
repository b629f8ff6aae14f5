-- One session.
-- Uses coordination/session
-- KEYS  1 session
-- Returns {'session', {field, value, …}}  {'gone'}

local session = read_hash(KEYS[1])
if not session or session.revoked then return { 'gone' } end
return shown(KEYS[1], session)
