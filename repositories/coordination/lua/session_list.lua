-- The live sessions of one trader.
-- Uses coordination/session, changes/clock
-- KEYS  1 sessions; and the sessions
-- ARGV  1 base of the trader's session keys
-- Returns {{digest, {field, value, …}}, …}

local found = {}
for i, digest in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. integer_text(now_ms()), '+inf')) do
  local session = read_hash(ARGV[1] .. digest)
  if not session then
    -- An entry dies with its session, so this one's session has not arrived here yet: its slot is on the move.
    return redis.error_reply('TRYAGAIN ' .. KEYS[1] .. ' names a session that is not here')
  end
  found[i] = { digest, shown(ARGV[1] .. digest, session)[2] }
end
return found
