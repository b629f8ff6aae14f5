-- Read when indexes expire, and when they should.
-- Uses audit/read_keys
-- KEYS indexes...
-- Returns {{expiry, highest score}, …}; for an index that does not exist -2 and ''

local found = {}
for i, index in ipairs(KEYS) do
  found[i] = { redis.call('PEXPIRETIME', index), read_key('ZRANGE', index, -1, -1, 'WITHSCORES')[2] or '' }
end
return found
