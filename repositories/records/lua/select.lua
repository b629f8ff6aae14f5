-- Return a page of one trader's records of a kind, of those that are in every one of some indexes and have not expired: in the
-- order of their keys, or of a sorted index and then of their keys.
-- Uses records/members, records/listing, changes/order_text
-- KEYS book
--      indexes...
-- Touches the records that the indexes name, the sets beside the indexes, and the index of all records of the kind
-- ARGV kind
--      schema    that of the model
--      fields    the fields of the indexes, with a blank between them; '' for that of all records
--      base      what the keys of these records begin with
--      least     the bounds of the members of the first index, a sorted one whose order the page has, in the form of ZRANGE
--      most      BYLEX; '' for pages in the order of keys
--      after     the key after which a page in the order of keys begins, '' for the first
--      order     'down' for the order of the sorted index from its end, else 'up'
--      limit     how many records a page has
--      parts...  for each index: what the members that are looked for begin with before the key, and the key of the set beside
-- Returns {cursor, key, record, …}: '' at the end, else the member of a range, or the key, after which the next page begins
--         {why, text}: see records/listing

local by = string.sub(ARGV.base, 1, -2) .. '_by_' -- what the keys of its indexes begin with that are not sorted

-- Return whether a record has the values for which the indexes have it. The entries of one that has expired stay for a while,
-- and its key may have come back with other values. The sets beside the indexes would tell it too, but a server whose slot
-- migrates stops a script at a key that is not there.
local function is_as_listed(walk, record, key, member)
  if ARGV.fields == '' then return true end
  local held, i = {}, 0
  for at = 1, #record, 2 do held[record[at]] = record[at + 1] end
  for field, form in string.gmatch(ARGV.fields, '([^%s:]+):?(%S*)') do
    i = i + 1
    local value = held[field]
    if not value then return false end
    if form == '' then
      if walk.indexes[i] ~= by .. field .. ':' .. value then return false end
    else
      local text = order_text(form, value)
      local listed = walk.is_range and i == 1 and string.sub(member, 1, -#key - 1) or walk.parts[2 * i - 1]
      if not text or text .. ':' ~= listed then return false end
    end
  end
  return true
end

local refusal = listing_refusal(KEYS.book, ARGV.kind, ARGV.schema, ARGV.fields)
if refusal then return refusal end
local limit, looked, page = 2 * ARGV.limit + 1, 0, { '' }
local indexes, parts = { unpack(KEYS, FIRST.indexes) }, { unpack(ARGV, FIRST.parts) }
local walk = begin_walk(indexes, parts, ARGV.least, ARGV.most, ARGV.after, ARGV.order == 'down')
repeat
  local members = next_members(walk, #indexes > 1 and AT_ONCE or (limit - #page) / 2)
  looked = looked + #members
  for _, member in ipairs(in_all(walk, members)) do
    local key = key_of(walk, member)
    local record = redis.call('HGETALL', ARGV.base .. key)
    if #record > 0 and is_as_listed(walk, record, key, member) then
      page[#page + 1], page[#page + 2] = key, record
      page[1] = cursor_at(walk, member)
      if #page == limit then return page end
    elseif #record == 0 and not redis.call('ZSCORE', walk.beside, member) then
      return redis.error_reply('TRYAGAIN the index ' .. walk.key .. ' names ' .. key .. ', which is not here')
    end -- else it has expired, and may have come back
  end
until walk.has_ended or looked >= MOST
page[1] = cursor_of(walk)
return page
