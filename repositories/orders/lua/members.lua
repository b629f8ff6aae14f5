-- Shared: find the orders that are in every one of some indexes, in the order of their ids. An index of an own field can be
-- walked, as those of own records can. That of a symbol or a status is a sorted set of ids, scored by the expiry of their order:
-- it can be walked while none of its orders expires, and else is read whole.
-- Uses changes/clock, changes/numbers, records/members

-- Return whether one text comes before another, byte by byte; Lua would compare them by the server's locale.
local function is_before(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- Return the first so many of some ids, in their order.
local function first_of(ids, count)
  local kept = {}
  for _, id in ipairs(ids) do
    if not (kept.last and is_before(kept.last, id)) then
      kept[#kept + 1] = id
      if #kept == 4 * count then
        table.sort(kept, is_before)
        for i = #kept, count + 1, -1 do kept[i] = nil end
        kept.last = kept[count]
      end
    end
  end
  table.sort(kept, is_before)
  for i = #kept, count + 1, -1 do kept[i] = nil end
  kept.last = nil
  return kept
end

-- Begin to search after an id, '' for the first of all, in the index that is looked at fastest: the one with the fewest entries
-- of those that can be walked, or one that is read whole where that has fewer and not many, or where there is no other.
-- indexes   those of own fields, and after them those of a symbol and a status
-- parts     for each of an own field '' and the key of the set beside it
local function begin_search(indexes, parts, after)
  local own, others = { unpack(indexes, 1, #parts / 2) }, { unpack(indexes, #parts / 2 + 1) }
  local search = begin_walk(own, #own > 0 and parts or { '', '' }, '', '', after, false)
  local size, whole = search.key and redis.call('ZCARD', search.key) or math.huge, {}
  local function take(index, found) search.key, search.number, size = index, 0, found end
  for _, index in ipairs(others) do
    local found = redis.call('ZCARD', index)
    if (redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2] or 'inf') ~= 'inf' then
      whole[#whole + 1] = { index, found }
    elseif found < size then
      take(index, found)
    end
  end
  for _, one in ipairs(whole) do
    if one[2] < size and (one[2] <= MOST or not search.key or search.is_whole_read) then
      take(one[1], one[2])
      search.is_whole_read = true
    end
  end
  search.others = others
  return search
end

-- Return those of some ids of a search that are in all of its other indexes too. Those of own fields may still have one that has
-- expired there; see in_all for `only_live`.
local function in_every(search, ids)
  if #search.indexes > 0 then ids = in_all(search, ids, search.only_live) end
  for _, index in ipairs(search.others) do
    if index ~= search.key and #ids > 0 then
      local kept = {}
      for at, expiry in ipairs(redis.call('ZMSCORE', index, unpack(ids))) do
        if expiry and tonumber(expiry) > now_ms() then kept[#kept + 1] = ids[at] end
      end
      ids = kept
    end
  end
  return ids
end

-- Return all ids of a search that come after one, from an index that is read whole.
local function all_ids(search, after)
  local ids, found = redis.call('ZRANGEBYSCORE', search.key, '(' .. integer_text(now_ms()), '+inf'), {}
  for first = 1, #ids, AT_ONCE do
    local some = { unpack(ids, first, math.min(first + AT_ONCE - 1, #ids)) }
    for _, id in ipairs(in_every(search, some)) do
      if after == '' or is_before(after, id) then found[#found + 1] = id end
    end
  end
  return found
end

-- Return the ids of a search among the next so many entries; from an index that is read whole the first so many after an id.
local function next_ids(search, after, count)
  if not search.is_whole_read then return in_every(search, next_members(search, count)) end
  local ids = first_of(all_ids(search, after), count)
  search.has_ended, search.last = #ids < count, ids[count]
  return ids
end

-- Return whether the index of a search says of an order that it does not expire.
local function stays(search, id)
  if search.number == 0 then return redis.call('ZSCORE', search.key, id) == 'inf' end
  return not redis.call('ZSCORE', search.beside, id)
end
