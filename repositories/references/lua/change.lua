-- Change a record that belongs to no trader, once for each request: insert, put, update or delete it.
-- Uses changes/hashes, changes/numbers
-- KEYS record
--      deleted       remembers what was inserted as records that were deleted since
--      request?      remembers this put, update or delete; an insert is known by its content
-- ARGV verb          INSERT, PUT, UPDATE or DELETE
--      ts_ns         the time of the change
--      ttl           how long the record lives from now, in milliseconds, '' for ever
--      expected      the version that the record must have, 0 for none, '' for any
--      digest        of the content of an insert or put
--      content       the same for the same request
--      written       the fields that are set, as a JSON object, in which null removes one; '' for a delete
--      schema        of the model
--      upgraded      of a record that an update has found in an older schema, its version and schema, '' for none
--      upgrade       what its upgrade and the update set, as `written`
--      remembered    for how long requests and deleted records are, in milliseconds
-- Returns {'applied', '0', version, fields and values}: as they are after an update
--         {'repeat', '0', version, fields and values, {}}: as they are now; version '0' for what was not there to delete
--         {'older', fields and values}: an update of a record of an older schema, whose upgrade is to be sent with it
--         {'taken', fields and values}: inserted before with other content
--         {'newer', schema}: of the record
--         {'version', version}  {'absent'}  {'duplicate'}  {'corrupt', key, field, value}

local verb, digest = ARGV.verb, ARGV.digest
local DIGEST_FIELD, SCHEMA_FIELD, LAST_VERSION = CONSTANTS.DIGEST_FIELD, CONSTANTS.SCHEMA_FIELD, CONSTANTS.LAST_VERSION
local DELETIONS = 64 -- the contents that are remembered of deleted records of one key
local AT_ONCE = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

local before, gone = read_hash(KEYS.record), redis.call('GET', KEYS.deleted) or ''
local after = before

local function fields() return after and hash_as_list(after) or {} end

local function remember(made)
  if KEYS.request then redis.call('SET', KEYS.request, made .. ' ' .. ARGV.content, 'PX', ARGV.remembered) end
end

-- Return the refusal of a change by a model of an older schema than the record's; nil when it may be made.
local function schema_refusal()
  local stored = before and (before[SCHEMA_FIELD] or '')
  if not stored then return nil end
  if not string.find(stored, '^[1-9]%d*$') or #stored > 7 then return { 'corrupt', KEYS.record, SCHEMA_FIELD, stored } end
  if stored + 0 > ARGV.schema + 0 then return { 'newer', stored } end
end

-- Return the answer to a change that was made before, or that is refused; nil for one that is to be made.
local function answer_to_settled()
  if not KEYS.request then
    if before and before[DIGEST_FIELD] == digest or string.find(' ' .. gone .. ' ', ' ' .. digest .. ' ', 1, true) then
      return { 'repeat', '0', '1', fields(), {} }
    end
    return schema_refusal() or before and { 'taken', fields() }
  end
  local known = redis.call('GET', KEYS.request)
  if not known then return schema_refusal() end
  local made, first = string.match(known, '^(%d+) (%S+)$')
  if not made then return { 'corrupt', KEYS.request, 'request', known } end
  return first == ARGV.content and { 'repeat', '0', made, fields(), {} } or { 'duplicate' }
end

-- Return the version of the record, 0 when there is none; nil and the reply that says which field cannot be used.
local function version_before()
  if not before then return 0 end
  local version = before.version or ''
  if not string.find(version, '^[1-9]%d*$') or #version > #LAST_VERSION or version == LAST_VERSION then
    return nil, { 'corrupt', KEYS.record, 'version', version }
  end
  return version + 0
end

-- Return the fields of the record after the change, nil when it removes the record.
local function fields_after(made, written)
  if verb == 'DELETE' then return nil end
  local fields = {}
  if verb == 'UPDATE' then
    for name, value in pairs(before) do fields[name] = value end
  else
    fields[DIGEST_FIELD] = before and before[DIGEST_FIELD] or digest
  end
  for name, value in pairs(cjson.decode(written)) do fields[name] = value ~= cjson.null and value or nil end
  fields.version, fields.updated_ns, fields[SCHEMA_FIELD] = made, ARGV.ts_ns, ARGV.schema
  return fields
end

local function store()
  local persists = ARGV.ttl == '' and redis.call('PTTL', KEYS.record) > 0 -- the model had a ttl
  local set, cleared = {}, {}
  for name, value in pairs(after) do
    if not before or before[name] ~= value then set[#set + 1], set[#set + 2] = name, value end
  end
  for name in pairs(before or {}) do
    if not after[name] then cleared[#cleared + 1] = name end
  end
  for first = 1, #set, AT_ONCE do
    redis.call('HSET', KEYS.record, unpack(set, first, math.min(first + AT_ONCE - 1, #set)))
  end
  for first = 1, #cleared, AT_ONCE do
    redis.call('HDEL', KEYS.record, unpack(cleared, first, math.min(first + AT_ONCE - 1, #cleared)))
  end
  if ARGV.ttl ~= '' then redis.call('PEXPIRE', KEYS.record, ARGV.ttl) end
  if persists then redis.call('PERSIST', KEYS.record) end
end

-- Remember what was inserted as this record, the last first and each content once, and remove it.
local function remove(made)
  local first = before[DIGEST_FIELD] or ''
  local words = { made, first }
  for version, content in string.gmatch(gone, '(%d+) (%S+)') do
    if content ~= first and #words < 2 * DELETIONS then words[#words + 1], words[#words + 2] = version, content end
  end
  redis.call('SET', KEYS.deleted, table.concat(words, ' '), 'PX', ARGV.remembered)
  redis.call('UNLINK', KEYS.record)
end

local settled = answer_to_settled()
if settled then return settled end
if not before and verb == 'DELETE' then
  remember('0') -- what is inserted later must stay when this comes again
  return { 'repeat', '0', '0', {}, {} }
end
local version, odd = version_before()
if not version then return odd end
if verb == 'UPDATE' and not before then return { 'absent' } end
if ARGV.expected ~= '' and ARGV.expected + 0 ~= version then return { 'version', integer_text(version) } end
local written = ARGV.written
if verb == 'UPDATE' and before[SCHEMA_FIELD] ~= ARGV.schema then
  if ARGV.upgraded ~= before.version .. ' ' .. before[SCHEMA_FIELD] then return { 'older', fields() } end
  written = ARGV.upgrade
end
local made = integer_text(version + 1)
after = fields_after(made, written)
if after then store() else remove(made) end
remember(made)
return { 'applied', '0', made, verb == 'UPDATE' and fields() or {} } -- what is stored whole is known
