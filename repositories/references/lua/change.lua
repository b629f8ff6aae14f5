-- Change a record that belongs to no trader, once for each request: insert, put, update or delete it.
-- Uses changes/hashes, changes/numbers, changes/revision
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

local DIGEST_FIELD, SCHEMA_FIELD = CONSTANTS.DIGEST_FIELD, CONSTANTS.SCHEMA_FIELD
local AT_ONCE = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

local verb, before, gone = ARGV.verb, read_hash(KEYS.record), redis.call('GET', KEYS.deleted) or nil

local function fields_before() return before and hash_as_list(before) or {} end

local function remember(made)
  if KEYS.request then redis.call('SET', KEYS.request, made .. ' ' .. ARGV.content, 'PX', ARGV.remembered) end
end

-- Return the refusal of a change of a record that is newer than the model, or of no schema; nil when it may be made.
local function schema_refusal()
  local stored = before and (before[SCHEMA_FIELD] or '')
  if not stored then return nil end
  if not is_schema(stored) then return { 'corrupt', KEYS.record, SCHEMA_FIELD, stored } end
  if stored + 0 > ARGV.schema + 0 then return { 'newer', stored } end
end

-- Return the answer to a change that was made before, or that is refused; nil for one that is to be made.
local function answer_to_settled()
  if not KEYS.request then
    if was_inserted(before, gone, ARGV.digest) then return { 'repeat', '0', '1', fields_before(), {} } end
    return schema_refusal() or before and { 'taken', fields_before() }
  end
  local known = redis.call('GET', KEYS.request)
  if not known then return schema_refusal() end
  local made, first = string.match(known, '^(%d+) (%S+)$')
  if not made then return { 'corrupt', KEYS.request, 'request', known } end
  return first == ARGV.content and { 'repeat', '0', made, fields_before(), {} } or { 'duplicate' }
end

local function store(after)
  local persists = ARGV.ttl == '' and redis.call('PTTL', KEYS.record) > 0 -- the model had a ttl
  local set, cleared = writes_between(before or {}, after)
  for first = 1, #set, AT_ONCE do
    redis.call('HSET', KEYS.record, unpack(set, first, math.min(first + AT_ONCE - 1, #set)))
  end
  for first = 1, #cleared, AT_ONCE do
    redis.call('HDEL', KEYS.record, unpack(cleared, first, math.min(first + AT_ONCE - 1, #cleared)))
  end
  if ARGV.ttl ~= '' then redis.call('PEXPIRE', KEYS.record, ARGV.ttl) end
  if persists then redis.call('PERSIST', KEYS.record) end
end

local function remove(made)
  local digests = deletions(made, before[DIGEST_FIELD] or '', gone or '')
  redis.call('SET', KEYS.deleted, digests, 'PX', ARGV.remembered)
  redis.call('UNLINK', KEYS.record)
end

local settled = answer_to_settled()
if settled then return settled end
if not before and verb == 'DELETE' then
  remember('0') -- what is inserted later must stay when this comes again
  return { 'repeat', '0', '0', {}, {} }
end
local version, written = before and (before.version or '') or '0', ARGV.written
if before and not is_version(version) then return { 'corrupt', KEYS.record, 'version', version } end
if verb == 'UPDATE' and not before then return { 'absent' } end
if ARGV.expected ~= '' and ARGV.expected ~= version then return { 'version', version } end
if verb == 'UPDATE' and before[SCHEMA_FIELD] ~= ARGV.schema then
  if ARGV.upgraded ~= version .. ' ' .. before[SCHEMA_FIELD] then return { 'older', fields_before() } end
  written = ARGV.upgrade
end
local made = integer_text(version + 1)
local after = verb ~= 'DELETE' and fields_after(verb, before, written, made, ARGV.ts_ns, ARGV.digest, ARGV.schema)
if after then store(after) else remove(made) end
remember(made)
return { 'applied', '0', made, verb == 'UPDATE' and hash_as_list(after) or {} } -- what is stored whole is known
