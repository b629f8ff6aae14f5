-- Shared: what several indexes of orders have in common. An index is a sorted set of ids of orders, scored by their expiry.
-- Uses changes/clock, changes/numbers

-- Return the index with the fewest entries, and a list of the others.
local function smallest_of(indexes)
  local smallest, size, others = 1, nil, {}
  if #indexes > 1 then
    for i, index in ipairs(indexes) do
      local found = redis.call('ZCARD', index)
      if not size or found < size then smallest, size = i, found end
    end
  end
  for i, index in ipairs(indexes) do
    if i ~= smallest then others[#others + 1] = index end
  end
  return indexes[smallest], others
end

-- Return whether all indexes have a live entry.
local function is_in_all(indexes, key)
  for _, index in ipairs(indexes) do
    local expiry = redis.call('ZSCORE', index, key)
    if not expiry or tonumber(expiry) <= now_ms() then return false end
  end
  return true
end

-- Return the live keys of an index.
local function live_keys(index)
  return redis.call('ZRANGEBYSCORE', index, '(' .. integer_text(now_ms()), '+inf')
end

-- Return whether one text comes before another, byte by byte; Lua would compare them by the server's locale.
local function is_before(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a < b end
  end
  return #one < #other
end

-- Return the first so many keys of a list, in their order, that come after one; '' for the first of all.
local function first_after(keys, after, count)
  local kept = {}
  for _, key in ipairs(keys) do
    if (after == '' or is_before(after, key)) and not (kept.last and is_before(kept.last, key)) then
      kept[#kept + 1] = key
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

-- Return the first so many keys of an index that come after one, and the last of them, nil when there are no more. Where no
-- entry expires the server has them in this order.
local function keys_after(index, after, count)
  local lowest, found = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2], nil
  if lowest == 'inf' then
    found = redis.call('ZRANGE', index, after == '' and '-' or '(' .. after, '+', 'BYLEX', 'LIMIT', 0, count)
  else
    found = first_after(live_keys(index), after, count)
  end
  return found, #found == count and found[count] or nil
end
