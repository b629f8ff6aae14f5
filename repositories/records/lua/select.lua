-- Return a page of one trader's records of a kind in the order of their keys: those that are in every one of some indexes, and
-- that have not expired.
-- Uses records/members, records/listing
-- KEYS book
--      indexes...
-- Touches the records that the indexes name, and the index of all records of the kind
-- ARGV kind
--      schema  that of the model
--      fields  the fields of the indexes, with a blank between them; '' for that of all records
--      base    what the keys of these records begin with
--      after   the key after which the page begins, '' for the first
--      limit   how many records a page has
-- Returns {key, record, …}, or {why, text}; see records/listing

local refusal = listing_refusal(KEYS.book, ARGV.kind, ARGV.schema, ARGV.fields)
if refusal then return refusal end
local found, limit, after = {}, tonumber(ARGV.limit), ARGV.after
local smallest, others = smallest_of({ unpack(KEYS, FIRST.indexes) })
repeat
  local wanted = limit - #found / 2
  local keys, last = keys_after(smallest, after, wanted)
  for _, key in ipairs(keys) do
    local record = is_in_all(others, key) and redis.call('HGETALL', ARGV.base .. key)
    if record and #record > 0 then
      found[#found + 1], found[#found + 2] = key, record
    elseif record and redis.call('ZSCORE', smallest, key) == 'inf' then
      return redis.error_reply('TRYAGAIN the index ' .. smallest .. ' names ' .. key .. ', which is not here')
    end -- else it has expired, and the clock has gone back since
  end
  after = last
until not after or #found >= limit * 2
return found
