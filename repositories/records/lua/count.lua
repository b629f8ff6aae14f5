-- Count the live records that are in every one of some indexes: those that have not expired.
-- Uses changes/clock, changes/numbers, records/members, records/listing
-- KEYS book
--      indexes...
-- Touches the index of all records of the kind
-- ARGV kind
--      schema    that of the model
--      fields    the fields of the indexes, with a blank between them; '' for that of all records
-- Returns number, or {why, text}; see records/listing

local refusal = listing_refusal(KEYS.book, ARGV.kind, ARGV.schema, ARGV.fields)
if refusal then return refusal end
local smallest, others = smallest_of({ unpack(KEYS, FIRST.indexes) })
if #others == 0 then return redis.call('ZCOUNT', smallest, '(' .. integer_text(now_ms()), '+inf') end
local count = 0
for _, key in ipairs(live_keys(smallest)) do
  if is_in_all(others, key) then count = count + 1 end
end
return count
