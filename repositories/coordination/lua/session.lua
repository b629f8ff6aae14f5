-- Shared: the reply that shows a session. A session that was revoked leaves its hash behind until it would have expired, so
-- that a repeated request to create it does not bring it back.
-- Uses changes/hashes, changes/numbers

-- Return a session as a reply: its fields, and when it expires.
local function session_reply(key, session)
  session.expires_ms = integer_text(redis.call('PEXPIRETIME', key))
  return { 'session', hash_as_list(session) }
end
