-- Read own records of one kind with everything that is stored of them, at one moment.
-- Uses audit/read_keys, audit/own_index, changes/order_text
-- KEYS book
--      events
-- Touches the records, what is remembered of deleted ones, their indexes and unique values
-- ARGV base                  what the trader's keys begin with
--      kind
--      enough_fields         how many hash fields are enough, after which no more records are read
--      keys_and_places...    for each record its key, a number, and that many places that name it, see own_places.py
-- Returns {last sequence, now in ms, {field of the header, value, …}, record…}: at least one record; each
--         {key, expiry, {field, value, …}, {index, when its entry expires, …}, {unique value, {owner, expiry, the owner's value, …}, …},
--         what is remembered of its deletion or '', expiry of that}

local base, kind, enough = ARGV.base, ARGV.kind, tonumber(ARGV.enough_fields)
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local book, header = read_key('HGETALL', KEYS.book), {}
for i = 1, #book, 2 do header[book[i]] = book[i + 1] end
local found, read, at = { last_sequence(KEYS.events), now, book }, 0, FIRST.keys_and_places
local is_unique = '^' .. kind .. '_unique_([^:]*):'

-- Note the indexes and unique values in which a record belongs by its schema.
local function add_places(places, fields)
  places[kind .. '_keys'] = true
  local registered = header['fields:' .. kind .. ':' .. (fields['@schema'] or '')] or ''
  local indexes, uniques, sorted = string.match(registered, '^([^|]*)|([^|]*)|(.*)$')
  for field in string.gmatch(indexes or '', '%S+') do
    if fields[field] then places[kind .. '_by_' .. field .. ':' .. fields[field]] = true end
  end
  for field in string.gmatch(uniques or '', '%S+') do
    if fields[field] then places[kind .. '_unique_' .. field .. ':' .. fields[field]] = true end
  end
  for field, form in string.gmatch(sorted or '', '([^%s:]+):(%a+)') do
    local text = fields[field] and order_text(form, fields[field])
    if text then places[kind .. '_sorted_' .. field .. ':' .. text] = true end
  end
end

-- Return when the entry of a record in an index expires, false for none. A sorted index is named with the order text of a value.
local function read_score(place, key)
  local head, value = string.match(place, '^([^:]*)(.*)$')
  if string.find(head, '^' .. kind .. '_sorted_') then
    return score_of(read_key, base .. head, base .. head .. '@expiry', string.sub(value, 2) .. ':' .. key)
  end
  return score_of(read_key, base .. place, base .. head .. '@expiry' .. value, key)
end

-- Return who has a unique value, when it expires, and which value the one who has it has in that field.
local function read_unique(place, key)
  local owner = read_key('GET', base .. place)
  if not owner then return nil end
  local value = owner ~= key and read_key('HGET', base .. kind .. ':' .. owner, string.match(place, is_unique))
  return { owner, redis.call('PEXPIRETIME', base .. place), value or '', value and 1 or 0 }
end

while ARGV[at] and read < enough do
  local key, seen = ARGV[at], tonumber(ARGV[at + 1])
  local flat, fields, places = read_key('HGETALL', base .. kind .. ':' .. key), {}, {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  for i = 1, seen do places[ARGV[at + 1 + i]] = true end
  add_places(places, fields)
  local scores, uniques = {}, {}
  for place in pairs(places) do
    if string.find(place, is_unique) then
      local unique = read_unique(place, key)
      if unique then uniques[#uniques + 1], uniques[#uniques + 2] = place, unique end
    else
      local score = read_score(place, key)
      if score then scores[#scores + 1], scores[#scores + 2] = place, score end
    end
  end
  local tombstone = base .. kind .. '_deleted:' .. key
  found[#found + 1] = {
    key, redis.call('PEXPIRETIME', base .. kind .. ':' .. key), flat, scores, uniques, read_key('GET', tombstone) or '',
    redis.call('PEXPIRETIME', tombstone),
  }
  read = read + #flat / 2 + #scores / 2 + #uniques / 2
  at = at + 2 + seen
end
return found
