-- Read when indexes expire, and when they should.
-- Uses audit/own_index, audit/read_keys
-- KEYS indexes...
-- Touches the sets beside the indexes of own records, and of own fields
-- ARGV sets...    for each, the index whose members are counted and the set beside it, '' where the scores say what expires
-- Returns {{expiry, highest score}, …}; for an index that does not exist -2 and ''

local found = {}
for i, index in ipairs(KEYS) do
  local at, last = FIRST.sets + 2 * i - 2, nil
  local counted, beside = ARGV[at], ARGV[at + 1]
  if beside == '' then
    last = read_key('ZRANGE', index, -1, -1, 'WITHSCORES')[2] or ''
  else
    last = end_of_index(read_key, read_key('ZCARD', counted), read_key('ZCARD', beside), beside)
  end
  found[i] = { redis.call('PEXPIRETIME', index), last }
end
return found
