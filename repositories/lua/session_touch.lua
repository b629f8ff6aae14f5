-- Let a session's life begin again now.
-- KEYS  1 session  2 sessions
-- ARGV  1 digest
-- Returns {'session', {field, value, …}}  {'gone'}  {'corrupt', key, field, value}

local session = record(KEYS[1])
if not session or session.revoked then return { 'gone' } end
local problem = unreadable(KEYS[1], session, { 'ttl_ms' })
if problem then return problem end
redis.call('ZCARD', KEYS[2])

local now = now_ms()
local expiry = whole(now + tonumber(session.ttl_ms))
redis.call('PEXPIREAT', KEYS[1], expiry)
enter(KEYS[2], ARGV[1], expiry, now)
return shown(KEYS[1], session)
