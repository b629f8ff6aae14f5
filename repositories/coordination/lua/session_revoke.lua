-- Revoke one session of a trader, or all of them; those that are over stay so.
-- Uses changes/hashes, changes/clock, changes/numbers, changes/expiring_index
-- KEYS sessions    the index of the trader's sessions
--      session?    the one to revoke; left out for all
-- ARGV base        what the keys of the trader's sessions begin with, before the digest
--      digest      of the session to revoke, '' for all
-- Touches the sessions that the index names, when all are revoked.
-- Returns {'revoked'}

local digests, index = { ARGV.digest }, read_index(KEYS.sessions)
if ARGV.digest == '' then
  digests = redis.call('ZRANGEBYSCORE', KEYS.sessions, '(' .. integer_text(now_ms()), '+inf')
end
local sessions = {}
for i, digest in ipairs(digests) do
  sessions[i] = read_hash(ARGV.base .. digest)
  if ARGV.digest == '' and not sessions[i] then
    -- A session and its entry in the index expire together. So this one is not on this node yet: its slot is migrating.
    return redis.error_reply('TRYAGAIN ' .. KEYS.sessions .. ' names a session that is not here')
  end
end
for i, digest in ipairs(digests) do
  local session = sessions[i]
  if session and not session.revoked then
    write_hash(ARGV.base .. digest, session, { revoked = '1', data = '' })
  end
end
if ARGV.digest == '' then
  redis.call('UNLINK', KEYS.sessions)
else
  remove_from_index(index, ARGV.digest)
end
return { 'revoked' }
