-- Bring a record that belongs to no trader to the schema of its model. Its version and its expiry stay.
-- Uses changes/hashes, changes/revision
-- KEYS record
-- ARGV upgraded   its version and schema, as it was read
--      upgrade    what its upgrade sets, as a JSON object, in which null removes a field
--      schema     of the model
-- Returns {'migrated'}
--         {'current'}: it has the schema  {'gone'}
--         {'older', fields and values}: it is not as it was read
--         {'newer', schema}  {'corrupt', key, field, value}

local AT_ONCE = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

local before = read_hash(KEYS.record)
if not before then return { 'gone' } end
local stored, version = before[CONSTANTS.SCHEMA_FIELD] or '', before.version or ''
if not is_schema(stored) then return { 'corrupt', KEYS.record, CONSTANTS.SCHEMA_FIELD, stored } end
if not is_version(version) then return { 'corrupt', KEYS.record, 'version', version } end
if stored + 0 > ARGV.schema + 0 then return { 'newer', stored } end
if stored == ARGV.schema then return { 'current' } end
if ARGV.upgraded ~= version .. ' ' .. stored then return { 'older', hash_as_list(before) } end

local after = fields_after('UPDATE', before, ARGV.upgrade, version, before.updated_ns, '', ARGV.schema)
local set, cleared = writes_between(before, after)
for first = 1, #set, AT_ONCE do
  redis.call('HSET', KEYS.record, unpack(set, first, math.min(first + AT_ONCE - 1, #set)))
end
for first = 1, #cleared, AT_ONCE do
  redis.call('HDEL', KEYS.record, unpack(cleared, first, math.min(first + AT_ONCE - 1, #cleared)))
end
return { 'migrated' }
