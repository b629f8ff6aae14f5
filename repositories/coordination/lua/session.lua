-- Shared by the scripts that show a session: its fields and when it expires. One that was revoked leaves its hash behind until
-- it would have expired, so that no late repeat brings it back.
-- Uses changes/hashes, changes/numbers

local function shown(key, session)
  session.expires_ms = integer_text(redis.call('PEXPIRETIME', key))
  return { 'session', hash_as_list(session) }
end
