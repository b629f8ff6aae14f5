-- Shared: whether a model may list a trader's records of a kind; see changes/schemas for what the header says of them.

-- Return what a header says of a kind: the schema to which all records have been brought, nil for none, and by the number of
-- each schema that has had records what these are found by.
local function declarations_of(book, kind)
  local mark, declared = nil, {}
  local flat, fields = redis.call('HGETALL', book), 'fields:' .. kind .. ':'
  for i = 1, #flat, 2 do
    if flat[i] == 'schema:' .. kind then
      mark = tonumber(flat[i + 1])
    elseif string.sub(flat[i], 1, #fields) == fields then
      declared[tonumber(string.sub(flat[i], #fields + 1))] = flat[i + 1]
    end
  end
  return mark, declared
end

-- Return whether a declaration has all of some fields: those with a form among the sorted ones, the others among the indexes.
local function has_all(declared, fields)
  local indexes, sorted = string.match(declared or '||', '^([^|]*)|[^|]*|([^|]*)$')
  for field in string.gmatch(fields, '%S+') do
    local part = string.find(field, ':', 1, true) and sorted or indexes
    if not string.find(' ' .. (part or '') .. ' ', ' ' .. field .. ' ', 1, true) then return false end
  end
  return true
end

-- Return the reply that says why a model of a schema may not list records, nil when it may: some are newer, or may not be in an
-- index. It reads whether there are records from the index of all.
-- fields   the fields of the indexes that are read, with a blank between them; '' for none
local function listing_refusal(book, kind, schema, fields)
  local mark, declared = declarations_of(book, kind)
  for stored in pairs(declared) do
    if stored > schema + 0 then return { 'newer', tostring(stored) } end
  end
  if mark and mark > schema + 0 then return { 'newer', tostring(mark) } end
  if fields == '' then return nil end
  local own = declared[schema + 0]
  if own and not has_all(own, fields) then return { 'declared', own } end
  if not mark then
    local all = string.sub(book, 1, -5) .. kind .. '_keys'
    return redis.call('EXISTS', all) == 1 and { 'unmarked', '0' } or nil
  end
  local is_there = declared[mark] ~= nil
  for stored, said in pairs(declared) do is_there = is_there and (stored < mark or has_all(said, fields)) end
  return not is_there and { 'unmarked', tostring(mark) } or nil
end
