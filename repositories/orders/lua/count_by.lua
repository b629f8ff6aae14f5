-- Count the live orders that are in every one of some indexes: those that have not expired.
-- Uses changes/clock, changes/numbers, orders/members, records/members
-- KEYS indexes...    of own fields, and after them those of a symbol and a status
-- Touches the sets beside the indexes
-- ARGV after       the id after which the count goes on, '' for its beginning
--      parts...    for each index of an own field '' and the key of the set beside it
-- Returns {number, cursor}: '' at the end, else the id after which the rest is to be counted

local now, search = integer_text(now_ms()), begin_search(KEYS, { unpack(ARGV, FIRST.parts) }, ARGV.after)
search.only_live = true
if #KEYS == 1 and search.number == 0 then return { redis.call('ZCOUNT', search.key, '(' .. now, '+inf'), '' } end
if #KEYS == 1 then return { redis.call('ZCARD', search.key) - redis.call('ZCOUNT', search.beside, '-inf', now), '' } end
if search.is_whole_read then return { #all_ids(search, ARGV.after), '' } end
local count, looked = 0, 0
repeat
  count, looked = count + #next_ids(search, '', AT_ONCE), looked + AT_ONCE
until search.has_ended or looked >= MOST
return { count, cursor_of(search) }
