-- Shared by the scripts that show a session: its fields and when it expires. One that was revoked leaves its hash behind until
-- it would have expired, so that no late repeat brings it back.

local function shown(key, session)
  session.expires_ms = whole(redis.call('PEXPIRETIME', key))
  return { 'session', flat(session) }
end
