-- Revoke one session of a trader, or all of them; those that are over stay so.
-- Uses changes/hashes, changes/clock, changes/numbers, changes/expiring_index
-- KEYS sessions    the index of the trader's sessions
--      session?    the one to revoke; left out for all
-- ARGV base        what the keys of the trader's sessions begin with, before the digest
--      digest      of the secret that leads to the session; '' for all
-- Touches the sessions that the index names, when all are revoked.
-- Returns {'revoked'}

local index, keys = read_index(KEYS.sessions), { KEYS.session }
if not KEYS.session then
  for i, digest in ipairs(redis.call('ZRANGEBYSCORE', KEYS.sessions, '(' .. integer_text(now_ms()), '+inf')) do
    keys[i] = ARGV.base .. digest
  end
end
local sessions = {}
for i, key in ipairs(keys) do
  sessions[i] = read_hash(key) or false -- one that has expired, and the clock has gone back since
end
if KEYS.session then leave_index(index, ARGV.digest) end
for i, key in ipairs(keys) do
  local session = sessions[i]
  if session and not session.revoked then
    write_hash(key, session, { revoked = '1', data = '' })
  end
end
if KEYS.session then
  write_index(index)
else
  redis.call('UNLINK', KEYS.sessions)
end
return { 'revoked' }
