-- Count the live records that are in every one of some indexes, or in a range of a sorted one: those that have not expired.
-- Uses changes/clock, changes/numbers, records/members, records/listing
-- KEYS book
--      indexes...
-- Touches the sets beside the indexes, and the index of all records of the kind
-- ARGV kind
--      schema    that of the model
--      fields    the fields of the indexes, with a blank between them; '' for that of all records
--      least     the bounds of the members of the first index, in the form of ZRANGE BYLEX; '' without a range
--      most
--      after     the key after which a count without a range goes on, '' for its beginning
--      parts...  for each index: what the members that are looked for begin with before the key, and the key of the set beside
-- Returns {number, cursor}: '' at the end, else the member of a range, or the key, after which the rest is to be counted
--         {why, text}: see records/listing

local refusal = listing_refusal(KEYS.book, ARGV.kind, ARGV.schema, ARGV.fields)
if refusal then return refusal end
local indexes, parts = { unpack(KEYS, FIRST.indexes) }, { unpack(ARGV, FIRST.parts) }
local walk = begin_walk(indexes, parts, ARGV.least, ARGV.most, ARGV.after, false)
local dead = redis.call('ZCOUNT', walk.beside, '-inf', integer_text(now_ms()))
if #indexes == 1 and walk.is_whole then return { redis.call('ZCARD', walk.key) - dead, '' } end
if #indexes == 1 and dead == 0 then return { redis.call('ZLEXCOUNT', walk.key, walk.least, walk.most), '' } end
local count, looked = 0, 0
repeat
  local members = next_members(walk, AT_ONCE)
  looked = looked + #members
  count = count + #in_all(walk, members, true)
until walk.has_ended or looked >= MOST
return { count, cursor_of(walk) }
