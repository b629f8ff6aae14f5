-- Read the live sessions of one trader.
-- Uses coordination/session, changes/hashes, changes/clock, changes/numbers
-- KEYS sessions    the index of the trader's sessions
-- ARGV base        what the keys of the trader's sessions begin with, before the digest
-- Touches the sessions that the index names.
-- Returns {{digest, {field, value, …}}, …}

local found = {}
for _, digest in ipairs(redis.call('ZRANGEBYSCORE', KEYS.sessions, '(' .. integer_text(now_ms()), '+inf')) do
  local session = read_hash(ARGV.base .. digest)
  -- A session without a hash has expired, and the clock has gone back since.
  if session then found[#found + 1] = { digest, session_reply(session)[2] } end
end
return found
