-- Shared: the record of a session, a hash that may outlive the session: a request to create it may be sent again after its
-- reply was lost, and must then bring back neither one that has expired nor one that was revoked.
--   created_ms, expires_ms    when it was created, and when it ends unless it is touched
--   ttl_ms, data              as given
--   revoked                   '1' once it was revoked
-- Uses changes/hashes, changes/clock, changes/numbers, coordination/integers

-- Return a session as a reply.
local function session_reply(session)
  return { 'session', hash_as_list(session) }
end

-- Return the reply that says why a session is not live, nil for one that is.
local function reply_if_over(key, session)
  if not session or session.revoked then return { 'gone' } end
  local corrupt = corrupt_integer(key, session, { 'expires_ms' })
  if corrupt then return corrupt end
  return tonumber(session.expires_ms) <= now_ms() and { 'gone' } or nil
end

-- Let a session begin its life now. Its hash is kept for as long as a request about it may be sent again.
local function begin_life(key, session, fields, ttl, remembered)
  fields.expires_ms = integer_text(now_ms() + ttl)
  write_hash(key, session, fields)
  redis.call('PEXPIREAT', key, integer_text(now_ms() + math.max(ttl, remembered)))
  return fields.expires_ms
end
