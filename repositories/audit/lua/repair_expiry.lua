-- Give an index the expiry of its longest-lived entry.
-- Uses changes/expiring_index, audit/own_index
-- KEYS index
-- Touches the set beside an index of own records, or of an own field
-- ARGV counted   the index whose members are counted: the same, or that of a set beside it
--      beside    the key of that set, '' for an index whose scores say when its entries expire
-- Returns 'applied'  'repeat': it has that expiry already, or there is no index

local index = KEYS.index
local beside, highest = ARGV.beside, nil
if beside == '' then
  highest = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
else
  highest = end_of_index(redis.call, redis.call('ZCARD', ARGV.counted), redis.call('ZCARD', beside), beside)
end
if not highest or highest == '' then return 'repeat' end
local expiry = redis.call('PEXPIRETIME', index)
if (expiry == -1 and 'inf' or string.format('%.0f', expiry)) == highest then return 'repeat' end
expire_at(index, highest)
return 'applied'
