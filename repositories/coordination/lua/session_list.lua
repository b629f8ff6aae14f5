-- Read the live sessions of one trader.
-- Uses coordination/session, changes/hashes, changes/clock, changes/numbers
-- KEYS sessions    the index of the trader's sessions
-- ARGV base        what the keys of the trader's sessions begin with, before the digest
-- Touches the sessions that the index names.
-- Returns {{digest, {field, value, …}}, …}

local found = {}
for i, digest in ipairs(redis.call('ZRANGEBYSCORE', KEYS.sessions, '(' .. integer_text(now_ms()), '+inf')) do
  local session = read_hash(ARGV.base .. digest)
  if not session then
    -- A session lives as long as its entry in the index. So this one is not on this node yet: its slot is migrating.
    return redis.error_reply('TRYAGAIN ' .. KEYS.sessions .. ' names a session that is not here')
  end
  found[i] = { digest, session_reply(session)[2] }
end
return found
