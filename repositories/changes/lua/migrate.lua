-- Of the engine: bring a record of the desk's own to the schema of its model. Its version stays, and there is no event.
-- Uses changes/run, changes/schemas, changes/revision, changes/record

-- Return {'migrated'}
--        {'current'}: it has the schema  {'gone'}
--        {'older', fields and values}: it is not as it was read
--        {'unique', field, value, key}  {'newer', schema}  {'declared', text}  {'corrupt', key, field, value}
local function migrate_own(at)
  local kind, id, upgraded, upgrade, schema, declared = unpack(ARGV, at, at + 5)
  local record = load_own(base .. kind .. ':' .. id)
  local before, version, odd = record.fields, version_of(record)
  if not before then return { 'gone' } end
  if not version then return odd end
  local known = load_kind(kind, schema)
  local refused = schema_refusal(known, record, schema, declared)
  if refused then return refused end
  local stored = before[SCHEMA_FIELD]
  if stored == schema then return { 'current' } end
  if upgraded ~= before.version .. ' ' .. stored then return { 'older', list_of(record) } end
  local was = declaration_of(known, stored, schema, declared)
  if not was then return { 'corrupt', KEYS.book, field_of_kind(kind, stored), '' } end

  local after = fields_after('UPDATE', before, upgrade, before.version, before.updated_ns, '', schema)
  local expires = redis.call('PEXPIRETIME', record.key)
  local expiry = expires > 0 and integer_text(expires) or 'inf'
  local plan, taken = plan_own(known, id, before, after, expiry, expires > 0, was, declared)
  if not plan then return taken end
  note_kind(known, schema, declared, expires > 0)
  apply_own(record, id, after, expiry, plan)
  own.first = { KEYS.book, field_of_kind(kind, schema), declared }
  return { 'migrated' }
end
