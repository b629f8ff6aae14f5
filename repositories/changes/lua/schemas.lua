-- Of the engine: the schemas of the desk's own records. A trader's header says of each kind to which schema all of the trader's
-- records have been brought (`schema:<kind>`), and of each schema what its records are found by (`fields:<kind>:<schema>`): the
-- fields with an index, those with unique values, and those by which records are sorted, each with its form.
-- Uses changes/run, changes/revision, changes/own_index

local SCHEMA_FIELD = CONSTANTS.SCHEMA_FIELD

-- Return the field of the header that says what a schema's records are found by.
local function field_of_kind(kind, schema)
  return 'fields:' .. kind .. ':' .. schema
end

-- Return what the header says of a kind, read once: its `mark`, the schema to which all records have been brought, 0 for none;
-- and among `declared` what a model of a schema has to agree with.
local function load_kind(kind, schema)
  local known = own.kinds[kind]
  if not known then
    local mark, declared = unpack(redis.call('HMGET', KEYS.book, 'schema:' .. kind, field_of_kind(kind, schema)))
    known = { name = kind, mark = mark or '0', declared = { [schema] = declared }, noted = {} }
    own.kinds[kind] = known
  elseif known.declared[schema] == nil then
    known.declared[schema] = redis.call('HGET', KEYS.book, field_of_kind(kind, schema))
  end
  return known
end

-- Return the refusal of a change by a model of a schema, nil when it may be made: a model does not write where records are
-- newer, nor where its own schema has been declared otherwise.
local function schema_refusal(known, record, schema, declared)
  local stored, mark = record.fields and (record.fields[SCHEMA_FIELD] or ''), known.mark
  if stored and not is_schema(stored) then return { 'corrupt', record.key, SCHEMA_FIELD, stored } end
  if mark ~= '0' and not is_schema(mark) then return { 'corrupt', KEYS.book, 'schema:' .. known.name, mark } end
  local newest = math.max(mark + 0, (stored or 0) + 0)
  if newest > schema + 0 then return { 'newer', integer_text(newest) } end
  local there = known.declared[schema]
  if there and there ~= declared then return { 'declared', there } end
end

-- Return what a record of a schema is found by, nil when the header does not say it.
local function declaration_of(known, stored, schema, declared)
  return stored == schema and declared or load_kind(known.name, stored).declared[stored] or nil
end

-- Return the parts of a declaration.
local function parsed(declared)
  local indexes, uniques, sorted = string.match(declared, '^([^|]*)|([^|]*)|([^|]*)$')
  return { indexes = indexes or '', uniques = uniques or '', sorted = sorted or '' }
end

-- Return whether a part of a declaration has a field.
local function has_field(part, field)
  return string.find(' ' .. part .. ' ', ' ' .. field .. ' ', 1, true) ~= nil
end

-- Return the fields of a part of the declarations before and after a change: each with the value `from` which the record is
-- found there before, and the one `to` which it will be; of a sorted field with its `form`.
local function moves_of(was, now, before, after)
  local moves = {}
  for field in string.gmatch(now, '%S+') do
    local is_left = was == now or has_field(was, field)
    moves[#moves + 1] = { is_left = is_left, is_entered = true, declared = field }
  end
  for field in string.gmatch(was ~= now and was or '', '%S+') do
    if not has_field(now, field) then moves[#moves + 1] = { is_left = true, declared = field } end
  end
  for _, move in ipairs(moves) do
    move.field, move.form = string.match(move.declared, '^([^:]+):?(.*)$')
    move.from, move.to = move.is_left and before[move.field] or nil, move.is_entered and after[move.field] or nil
  end
  return moves
end

-- Note for the header what a record that is stored now is found by. The first of a trader's records of a kind says of which
-- schema all of them are.
local function note_schema(known, schema, declared)
  local noted = known.noted
  if not known.declared[schema] then
    known.declared[schema] = declared
    noted[#noted + 1], noted[#noted + 2] = field_of_kind(known.name, schema), declared
  end
  if known.mark == schema then return end
  local all = load_own_index(known.name .. '_keys', '')
  if all.size == 0 and not next(all.members) then
    known.mark = schema
    noted[#noted + 1], noted[#noted + 2] = 'schema:' .. known.name, schema
  end
end
