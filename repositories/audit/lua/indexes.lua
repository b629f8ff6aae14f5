-- Read when indexes expire, and when they should.
-- Uses audit/own_index, audit/read_keys
-- KEYS indexes...
-- Touches the sets beside the indexes of own records
-- ARGV besides...    the key of the set beside each index, '' for an index whose scores say when its entries expire
-- Returns {{expiry, highest score}, …}; for an index that does not exist -2 and ''

local found = {}
for i, index in ipairs(KEYS) do
  local beside, last = ARGV[FIRST.besides + i - 1], nil
  if beside == '' then
    last = read_key('ZRANGE', index, -1, -1, 'WITHSCORES')[2] or ''
  else
    last = end_of_index(read_key, read_key('ZCARD', index), read_key('ZCARD', beside), beside)
  end
  found[i] = { redis.call('PEXPIRETIME', index), last }
end
return found
