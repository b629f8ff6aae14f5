-- Shared: a record of the desk's own before and after one change, as tables of its fields; nil is no record.

local DIGEST_FIELD, SCHEMA_FIELD, LAST_VERSION = CONSTANTS.DIGEST_FIELD, CONSTANTS.SCHEMA_FIELD, CONSTANTS.LAST_VERSION
local DELETIONS = 64 -- the contents that are remembered of deleted records of one key

-- Return whether a text is the version of a record that may be changed: no record has the last one, as the next could not be
-- read.
local function is_version(text)
  return string.find(text, '^[1-9]%d*$') and #text <= #LAST_VERSION and text ~= LAST_VERSION
end

-- Return whether a text is the number of a schema.
local function is_schema(text)
  return text and #text < 8 and string.find(text, '^[1-9]%d*$')
end

-- Return whether an insert with a digest was made before: its record is there, or is one of those that were deleted.
local function was_inserted(before, gone, digest)
  return before and before[DIGEST_FIELD] == digest or gone and string.find(gone .. ' ', ' ' .. digest .. ' ', 1, true)
end

-- Return the fields of a record after a change, given as JSON what the change sets; null removes a field.
local function fields_after(verb, before, changed, version, ts_ns, digest, schema)
  local after = cjson.decode(changed)
  if verb == 'UPDATE' then
    for name, value in pairs(before) do
      if after[name] == nil then after[name] = value end
    end
  else
    after[DIGEST_FIELD] = before and before[DIGEST_FIELD] or digest
  end
  if string.find(changed, 'null', 1, true) then
    for name, value in pairs(after) do
      if value == cjson.null then after[name] = nil end
    end
  end
  after.version, after.updated_ns, after[SCHEMA_FIELD] = version, ts_ns, schema
  return after
end

-- Return two lists that bring a hash from what was stored to what is to be: fields and values to set, and fields to remove.
local function writes_between(was, after)
  local written, cleared = {}, {}
  for name, value in pairs(after) do
    if was[name] ~= value then written[#written + 1], written[#written + 2] = name, value end
  end
  for name in pairs(was) do
    if not after[name] then cleared[#cleared + 1] = name end
  end
  return written, cleared
end

-- Return what is remembered when a record is deleted, given what was before: the number of each deletion and what had been
-- inserted, the last first and each content once.
local function deletions(number, digest, before)
  local words = { number, digest }
  for earlier, content in string.gmatch(before, '(%d+) (%S+)') do
    if content ~= digest and #words < 2 * DELETIONS then words[#words + 1], words[#words + 2] = earlier, content end
  end
  return table.concat(words, ' ')
end
