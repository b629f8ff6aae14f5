-- Read what is remembered of changes of positions, at one moment.
-- Uses audit/read_keys
-- KEYS events
--      requests...
-- Returns {last sequence, {text or '', expiry}, …}

local found = { last_sequence(KEYS.events) }
for i = FIRST.requests, #KEYS do
  found[i] = { read_key('GET', KEYS[i]) or '', redis.call('PEXPIRETIME', KEYS[i]) }
end
return found
