-- Let a session's life begin again now.
-- Uses coordination/session, coordination/integers, changes/clock, changes/expiring_index
-- KEYS  1 session  2 sessions
-- ARGV  1 digest
-- Returns {'session', {field, value, …}}  {'gone'}  {'corrupt', key, field, value}

local session = read_hash(KEYS[1])
if not session or session.revoked then return { 'gone' } end
local problem = unreadable(KEYS[1], session, { 'ttl_ms' })
if problem then return problem end
local index = read_index(KEYS[2])

local expiry = integer_text(now_ms() + tonumber(session.ttl_ms))
redis.call('PEXPIREAT', KEYS[1], expiry)
add_to_index(index, ARGV[1], expiry)
return shown(KEYS[1], session)
