-- Of the engine: the schemas of the desk's own records. A trader's header says of each kind to which schema all of the trader's
-- records have been brought (`schema:<kind>`), and of each schema what its records are found by (`fields:<kind>:<schema>`): the
-- fields with an index, those with unique values, and those by which records are sorted, each with its form. While none of a kind's
-- records has been given an expiry it says that all stay (`stay:<kind>`).
-- Uses changes/run, changes/revision, changes/own_index

-- Return the field of the header that says what a schema's records are found by.
local function field_of_kind(kind, schema)
  return 'fields:' .. kind .. ':' .. schema
end

-- Return what the header says of a kind, read once: its `mark`, the schema to which all records have been brought, 0 for none;
-- among `declared` what a model of a schema has to agree with; and whether all of its records `stay`.
local function load_kind(kind, schema)
  local known = own.kinds[kind]
  if not known then
    local mark, declared, stay =
      unpack(redis.call('HMGET', KEYS.book, 'schema:' .. kind, field_of_kind(kind, schema), 'stay:' .. kind))
    known = { name = kind, mark = mark or '0', declared = { [schema] = declared }, stay = stay == '1', is_told = stay }
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
local function parts_of_declared(declared)
  local indexes, uniques, sorted = string.match(declared, '^([^|]*)|([^|]*)|([^|]*)$')
  return indexes or '', uniques or '', sorted or ''
end

-- Return whether a part of a declaration has a field, with its form if it is sorted.
local function has_field(part, field, form)
  return string.find(' ' .. part .. ' ', ' ' .. field .. (form ~= '' and ':' .. form or '') .. ' ', 1, true) ~= nil
end

-- Add to moves those out of what a record was found by, and is not any more.
local function add_left(moves, was, now, before)
  for field, form in string.gmatch(was, '([^%s:]+):?(%S*)') do
    local from = before and before[field]
    if from and not has_field(now, field, form) then
      local size = #moves
      moves[size + 1], moves[size + 2], moves[size + 3], moves[size + 4] = field, form, from, false
    end
  end
end

-- Return the fields of a part of the declarations before and after a change by which the record is found otherwise then, or
-- with `renews` all: a list of each with its form, '' unless it is sorted, the value `from` which the record is found there
-- before, and the one `to` which it will be, false for none.
local function moves_of(was, now, before, after, renews)
  local moves, size = {}, 0
  for field, form in string.gmatch(now, '([^%s:]+):?(%S*)') do
    local from, to = before and before[field] or false, after and after[field] or false
    if was ~= now and from and not RARE.has_field(was, field, form) then from = false end
    if from ~= to or renews then
      moves[size + 1], moves[size + 2], moves[size + 3], moves[size + 4] = field, form, from, to
      size = size + 4
    end
  end
  if was ~= now then RARE.add_left(moves, was, now, before) end
  return moves
end

-- Note for the header what a record that is stored now is found by. The first of a trader's records of a kind says of which
-- schema all of them are; and, if it stays and there has been none, that all stay, until one that expires says otherwise.
local function note_kind(known, schema, declared, expires)
  local noted = known.noted or {}
  known.noted = noted
  if not known.declared[schema] then
    known.declared[schema] = declared
    noted[#noted + 1], noted[#noted + 2] = field_of_kind(known.name, schema), declared
  end
  if known.mark ~= schema then
    local all = load_own_index(known.name .. '_keys', '')
    if all.size == 0 and not next(all.members) then
      if known.mark == '0' and not known.is_told and all.kept == 0 and not expires then
        known.stay, known.is_told = true, '1'
        noted[#noted + 1], noted[#noted + 2] = 'stay:' .. known.name, '1'
      end
      known.mark = schema
      noted[#noted + 1], noted[#noted + 2] = 'schema:' .. known.name, schema
    end
  end
  if expires and known.stay then
    known.stay = false
    noted[#noted + 1], noted[#noted + 2] = 'stay:' .. known.name, '0'
  end
end
