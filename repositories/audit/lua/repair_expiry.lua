-- Give an index the expiry of its longest-lived entry.
-- Uses changes/expiring_index
-- KEYS index
-- Returns 'applied'  'repeat': it has that expiry already, or there is no index

local index = KEYS.index
local highest = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
if not highest then return 'repeat' end
local expiry = redis.call('PEXPIRETIME', index)
if (expiry == -1 and 'inf' or string.format('%.0f', expiry)) == highest then return 'repeat' end
renew_index_expiry(index)
return 'applied'
