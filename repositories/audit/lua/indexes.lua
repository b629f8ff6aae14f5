-- When indexes expire, and when they should.
-- Uses audit/reading
-- KEYS  1.. indexes
-- Returns {{expiry, highest score}, …}; for an index that is not there -2 and nothing

local found = {}
for i, index in ipairs(KEYS) do
  found[i] = { redis.call('PEXPIRETIME', index), ask('ZRANGE', index, -1, -1, 'WITHSCORES')[2] or '' }
end
return found
