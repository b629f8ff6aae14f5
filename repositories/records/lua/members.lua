-- Shared: walk through an index of own records, or of own fields of orders, and find the members that others have too. What a
-- script looks at is bounded: it says where it stopped, and the caller goes on there.
-- Uses changes/clock, changes/numbers

local AT_ONCE = 500 -- members that are read together
local MOST = 5000 -- members that one script looks at

-- Return the bounds of the members that begin with a text, in the server's form.
local function bounds_of(head)
  if head == '' then return '-', '+' end
  return '[' .. head, '(' .. string.sub(head, 1, -2) .. ';' -- it ends with ':', and ';' is the next character
end

-- Return the number of the index that has the fewest members of those that are looked for. `parts` has for each index what
-- these begin with before the key of the record, and the key of the set beside it.
local function shortest(indexes, parts)
  local number, size = 1, nil
  for i = 1, #indexes > 1 and #indexes or 0 do
    local found = redis.call('ZLEXCOUNT', indexes[i], bounds_of(parts[2 * i - 1]))
    if not size or found < size then number, size = i, found end
  end
  return number
end

-- Begin a walk: through a range of the first index, or where `least` is '' through the shortest one, after a key.
local function begin_walk(indexes, parts, least, most, after, descends)
  local is_range = least ~= ''
  local number = is_range and 1 or shortest(indexes, parts)
  local head = parts[2 * number - 1]
  local walk = {
    indexes = indexes, key = indexes[number], number = number, parts = parts, head = head, beside = parts[2 * number],
    is_range = is_range, least = least, most = most, descends = descends,
  }
  if not is_range then
    walk.least, walk.most = bounds_of(head)
    walk.is_whole = head == '' and after == ''
    if after ~= '' then walk.least = '(' .. head .. after end
  end
  return walk
end

-- Return the next members of a walk; `has_ended` then says whether there may be more.
local function next_members(walk, count)
  local members
  if walk.descends then
    members = redis.call('ZRANGE', walk.key, walk.most, walk.least, 'BYLEX', 'REV', 'LIMIT', 0, count)
    if #members > 0 then walk.most = '(' .. members[#members] end
  else
    members = redis.call('ZRANGE', walk.key, walk.least, walk.most, 'BYLEX', 'LIMIT', 0, count)
    if #members > 0 then walk.least = '(' .. members[#members] end
  end
  walk.has_ended = #members < count
  walk.last = members[#members] or walk.last
  return members
end

-- Return the key of the record of a member.
local function key_of(walk, member)
  if walk.is_range then return string.sub(member, string.find(member, ':', 1, true) + 1) end
  return string.sub(member, #walk.head + 1)
end

-- Return where a walk goes on: after a member in a range, else after a key.
local function cursor_at(walk, member)
  return walk.is_range and member or key_of(walk, member)
end

-- Return where a walk goes on, '' when it is at its end.
local function cursor_of(walk)
  return walk.has_ended and '' or cursor_at(walk, walk.last)
end

-- Return those of some members of an index that have not expired, given the set beside it. The record of one that has may be
-- here again, and in the index no more.
local function unexpired(beside, members)
  if #members == 0 or redis.call('ZCOUNT', beside, '-inf', integer_text(now_ms())) == 0 then return members end
  local kept = {}
  for at, expiry in ipairs(redis.call('ZMSCORE', beside, unpack(members))) do
    if not expiry or tonumber(expiry) > now_ms() then kept[#kept + 1] = members[at] end
  end
  return kept
end

-- Return those of some members of a walk whose records are in all of the other indexes too; of each index those alone that have
-- not expired, if `only_live`.
local function in_all(walk, members, only_live)
  if only_live then members = unexpired(walk.beside, members) end
  for i, index in ipairs(walk.indexes) do
    if i ~= walk.number and #members > 0 then
      local head, sought, there, live, kept = walk.parts[2 * i - 1], {}, {}, {}, {}
      for at, member in ipairs(members) do sought[at] = head .. key_of(walk, member) end
      for at, score in ipairs(redis.call('ZMSCORE', index, unpack(sought))) do
        if score then there[#there + 1] = sought[at] end
      end
      for _, member in ipairs(only_live and unexpired(walk.parts[2 * i], there) or there) do live[member] = true end
      for at, member in ipairs(members) do
        if live[sought[at]] then kept[#kept + 1] = member end
      end
      members = kept
    end
  end
  return members
end
