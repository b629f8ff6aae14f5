-- Give an index the expiry of its longest-lived entry.
-- Uses changes/expiring_index
-- KEYS  1 index
-- Returns 'applied'  'repeat': it has it already, or there is no index

local highest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if not highest then return 'repeat' end
local expiry = redis.call('PEXPIRETIME', KEYS[1])
if (expiry == -1 and 'inf' or string.format('%.0f', expiry)) == highest then return 'repeat' end
renew_index_expiry(KEYS[1])
return 'applied'
