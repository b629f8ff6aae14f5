-- End sessions of one trader; those that are over stay so.
-- Uses changes/hashes, changes/clock, changes/expiring_index
-- KEYS  1 sessions; and the session, or all of them
-- ARGV  1 base of the trader's session keys  2 digest, '' for all
-- Returns {'revoked'}

local digests, index = { ARGV[2] }, read_index(KEYS[1])
if ARGV[2] == '' then
  digests = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. integer_text(now_ms()), '+inf')
end
local sessions = {}
for i, digest in ipairs(digests) do
  sessions[i] = read_hash(ARGV[1] .. digest)
  if ARGV[2] == '' and not sessions[i] then
    -- An entry dies with its session, so this one's session has not arrived here yet: its slot is on the move.
    return redis.error_reply('TRYAGAIN ' .. KEYS[1] .. ' names a session that is not here')
  end
end
for i, digest in ipairs(digests) do
  local session = sessions[i]
  if session and not session.revoked then
    write_hash(ARGV[1] .. digest, session, { revoked = '1', data = '' })
  end
end
if ARGV[2] == '' then
  redis.call('UNLINK', KEYS[1])
else
  remove_from_index(index, ARGV[2])
end
return { 'revoked' }
