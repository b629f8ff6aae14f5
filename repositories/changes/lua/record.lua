-- Of the engine: change a record of the desk's own: insert, put, update or delete it.
-- Uses changes/run, changes/schemas, changes/revision, changes/own_index, changes/order_text, changes/own_document

local AT_ONCE = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

-- Return a record as it is by now: its `fields` by name, nil when there is none; and as it is stored, `was`.
local function load_own(key)
  own = own or { records = {}, kinds = {} }
  local record = own.records[key]
  if record then return record end
  record = { key = key }
  local flat = redis.call('HGETALL', key)
  if flat[1] then
    local fields = {}
    for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
    record.fields, record.was = fields, fields
  end
  own.records[key] = record
  return record
end

-- Return a unique value as it is by now: the key of the record that has it is its `owner`, nil when none has.
local function load_unique(key)
  own.uniques = own.uniques or {}
  local unique = own.uniques[key]
  if not unique then
    local owner = redis.call('GET', key) or nil
    unique = { key = key, owner = owner, is_stored = owner ~= nil }
    own.uniques[key] = unique
  end
  return unique
end

-- Return the fields and values of a record as a list, which a later step cannot change; an empty one when there is none.
local function list_of(record)
  local list = {}
  for name, value in pairs(record.fields or {}) do list[#list + 1], list[#list + 2] = name, value end
  return list
end

-- Return what is remembered under the key of a request or of a deleted record, nil when nothing is.
local function text_at(key)
  return requests and requests[key] or redis.call('GET', key) or nil
end

-- Return the reply to a request that is remembered, given what it asks for.
local function repeat_of_own(record, request, recorded, content)
  local number, said = string.match(recorded, '^(%d+) (.+)$')
  if not number then return { 'corrupt', request, 'request', recorded } end
  local version, first = string.match(said, '^%u+ (%d+) (%S+)$')
  if first ~= content then return { 'duplicate' } end
  return { 'repeat', number, version, list_of(record), event_of(number) }
end

-- Add to a plan what a record enters and leaves in sorted indexes.
local function plan_sorted(plan, name, id, moves, expiry, all_stay)
  for i = 1, #moves, 4 do
    local field, form, from, to = unpack(moves, i, i + 3)
    local old = from and from ~= to and order_text(form, from) -- nil for a text that somebody else wrote
    local new = to and order_text(form, to)
    local index = (old or new) and load_own_index(name .. field, '', all_stay)
    if old then plan[#plan + 1], plan[#plan + 2], plan[#plan + 3] = index, old .. ':' .. id, false end
    if new then plan[#plan + 1], plan[#plan + 2], plan[#plan + 3] = index, new .. ':' .. id, expiry end
  end
end

-- Add to a plan the unique values that a record frees and takes; return the refusal when another record has one.
local function plan_uniques(plan, name, id, moves)
  plan.freed, plan.taken = {}, {}
  for i = 1, #moves, 4 do
    local field, _, from, to = unpack(moves, i, i + 3)
    local old = from and from ~= to and load_unique(name .. field .. ':' .. from)
    if old and old.owner == id then plan.freed[#plan.freed + 1] = old end
    local new = to and load_unique(name .. field .. ':' .. to)
    if new and (not new.owner or new.owner == id) then
      plan.taken[#plan.taken + 1] = new
    elseif new and from ~= to then
      return { 'unique', field, to, new.owner }
    end
  end
end

-- Return the indexes that a record enters and leaves by a change, each with the record's member and expiry there, false where
-- it leaves, and the unique values; each is read while the change can still be refused. Or nil and the refusal, when another
-- record has a unique value. It was found by what one declaration says, and will be by another. With `renews`, those that it
-- stays in get a new expiry.
local function plan_own(known, id, before, after, expiry, renews, was, now)
  local name, all_stay = known.name, known.stay and not renews
  local plan = {}
  if renews or not before or not after then
    plan[1], plan[2], plan[3] = load_own_index(name .. '_keys', '', all_stay), id, after and expiry or false
  end
  local indexes, uniques, sorted = parts_of_declared(now)
  local left_indexes, left_uniques, left_sorted = indexes, uniques, sorted
  if was ~= now then left_indexes, left_uniques, left_sorted = parts_of_declared(was) end
  if indexes ~= '' or left_indexes ~= '' then
    local moves, size = moves_of(left_indexes, indexes, before, after, renews), #plan
    for i = 1, #moves, 4 do
      local head, from, to = name .. '_by_' .. moves[i], moves[i + 2], moves[i + 3]
      if from and from ~= to then
        plan[size + 1], plan[size + 2], plan[size + 3] = load_own_index(head, ':' .. from, all_stay), id, false
        size = size + 3
      end
      if to then
        plan[size + 1], plan[size + 2], plan[size + 3] = load_own_index(head, ':' .. to, all_stay), id, expiry
        size = size + 3
      end
    end
  end
  if sorted ~= '' or left_sorted ~= '' then
    RARE.plan_sorted(plan, name .. '_sorted_', id, moves_of(left_sorted, sorted, before, after, renews), expiry, all_stay)
  end
  if uniques ~= '' or left_uniques ~= '' then
    local taken = RARE.plan_uniques(plan, base .. name .. '_unique_', id, moves_of(left_uniques, uniques, before, after, renews))
    if taken then return nil, taken end
  end
  return plan
end

-- Let unique values be freed and taken as planned.
local function apply_uniques(plan, id, expiry)
  for _, unique in ipairs(plan.freed) do unique.owner, unique.is_changed = nil, true end
  for _, unique in ipairs(plan.taken) do unique.owner, unique.expiry, unique.is_changed = id, expiry, true end
end

-- Change a record as planned.
local function apply_own(record, id, after, expiry, plan)
  record.fields, record.expiry, record.is_changed = after, expiry, true
  for i = 1, #plan, 3 do plan[i].members[plan[i + 1]] = plan[i + 2] end
  if plan.taken then RARE.apply_uniques(plan, id, expiry) end
end

-- Return the version of a record, 0 when there is none; nil and the reply that says which field cannot be used.
local function version_of(record)
  if not record.fields then return 0 end
  local version = record.fields.version or ''
  if not is_version(version) then return nil, { 'corrupt', record.key, 'version', version } end
  return version + 0
end

-- Return the answer to a change that is no change any more, or never was one; nil for one that is to be made.
local function answer_to_settled(verb, record, tombstone, request, digest, content, refused)
  local recorded = request and text_at(request)
  if recorded then return repeat_of_own(record, request, recorded, content) end
  if verb == 'INSERT' then
    local gone = not (requests and requests[tombstone]) and text_at(tombstone) -- what this call has deleted may come again
    if was_inserted(record.fields, gone, digest) then return { 'repeat', '0', '1', list_of(record), {} } end
    return refused or record.fields and { 'taken', list_of(record) } or nil
  end
  if verb == 'DELETE' and not record.fields and not refused then
    requests = requests or {}
    requests[request] = '0 DELETE 0 ' .. content -- what is inserted later must stay when this comes again
    return { 'repeat', '0', '0', {}, {} }
  end
  return refused
end

-- Return {'applied', sequence, version, fields and values, where the call does not say them all}
--        {'repeat', sequence, version, fields and values, event}: 0 for what is not known, or for what was not there to delete
--        {'older', fields and values}: an update of a record of an older schema, whose upgrade is to be sent with it
--        {'taken', fields and values}: inserted before with other content
--        {'unique', field, value, key}  {'version', version}  {'absent'}  {'duplicate'}  {'corrupt', key, field, value}
--        {'newer', schema}: of the record, or of all of the trader's records  {'declared', text}: otherwise before
--        {'fence', lock, fence}
local function change_own(at)
  local verb, kind, id, ts_ns, digest, changed, schema, declared, request_id, content, expected, ttl, upgraded, upgrade =
    unpack(ARGV, at, at + 13)
  if not request_id then request_id, content, expected, ttl = '', '', '', '' end
  local record, tombstone = load_own(base .. kind .. ':' .. id), base .. kind .. '_deleted:' .. id
  local request = request_id ~= '' and base .. 'request:' .. request_id
  local known, before = load_kind(kind, schema), record.fields
  local is_agreed = known.mark == schema and known.declared[schema] == declared
  local settled = not (is_agreed and (not before or before[SCHEMA_FIELD] == schema))
    and RARE.schema_refusal(known, record, schema, declared) or nil
  if before or verb ~= 'INSERT' or requests or text_at(tombstone) then
    settled = RARE.answer_to_settled(verb, record, tombstone, request, digest, content, settled)
  end
  if settled then return settled end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local version, was, odd = 0, declared, nil
  if before then
    version, odd = RARE.version_of(record)
    if not version then return odd end
  elseif verb == 'UPDATE' then
    return { 'absent' }
  end
  if expected ~= '' and expected + 0 ~= version then return { 'version', integer_text(version) } end
  if before and before[SCHEMA_FIELD] ~= schema then
    was = RARE.declaration_of(known, before[SCHEMA_FIELD], schema, declared)
    if not was then return { 'corrupt', KEYS.book, field_of_kind(kind, before[SCHEMA_FIELD]), '' } end
    if verb == 'UPDATE' and upgraded ~= before.version .. ' ' .. before[SCHEMA_FIELD] then return { 'older', list_of(record) } end
    if verb == 'UPDATE' then changed = upgrade end
  end

  local expiry = ttl ~= '' and verb ~= 'DELETE' and RARE.expiry_after(ttl) or 'inf'
  local renews = record.expires or expiry ~= 'inf' or record.was and redis.call('PEXPIRETIME', record.key) > 0
  record.expires = renews
  local made = integer_text(version + 1)
  local after = verb ~= 'DELETE' and fields_after(verb, before, changed, made, ts_ns, digest, schema) or nil
  local gone = verb == 'DELETE' and (text_at(tombstone) or '')
  local plan, taken = plan_own(known, id, before, after, expiry, renews, was, declared)
  if not plan then return taken end
  if after and not (is_agreed and (expiry == 'inf' or not known.stay)) then
    RARE.note_kind(known, schema, declared, expiry ~= 'inf')
  end
  apply_own(record, id, after, expiry, plan)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', verb, 'ts_ns', ts_ns, 'request_id', request_id, 'kind', kind, 'key', id,
    'version', made, 'changed', changed,
  }, ARGV.channels ~= '' and document_of(ts_ns, kind, id, made, changed, request_id), '')
  if request then
    requests = requests or {}
    requests[request] = number .. ' ' .. verb .. ' ' .. made .. ' ' .. content
  end
  if gone then
    requests[tombstone] = RARE.deletions(number, before[DIGEST_FIELD] or '', gone) -- what this call deletes it may insert again
  end
  return { 'applied', number, made, verb == 'UPDATE' and list_of(record) or nil } -- what is stored whole is known
end

-- Call a command of a key with a list of words, some at a time.
local function call_in_parts(command, key, words)
  for first = 1, #words, AT_ONCE do
    redis.call(command, key, unpack(words, first, math.min(first + AT_ONCE - 1, #words)))
  end
end

-- Write a record that was stored before.
local function write_stored(record)
  if record.fields then
    local written, cleared = writes_between(record.was, record.fields)
    call_in_parts('HSET', record.key, written)
    call_in_parts('HDEL', record.key, cleared)
    if record.expires or record.expiry ~= 'inf' then expire_at(record.key, record.expiry) end
  else
    redis.call('UNLINK', record.key)
  end
end

-- Write the unique values that the run has changed.
local function write_uniques()
  for _, unique in pairs(own.uniques) do
    if unique.is_changed and unique.owner and unique.expiry ~= 'inf' then
      redis.call('SET', unique.key, unique.owner, 'PXAT', unique.expiry)
    elseif unique.is_changed and unique.owner then
      redis.call('SET', unique.key, unique.owner)
    elseif unique.is_changed and unique.is_stored then
      redis.call('UNLINK', unique.key)
    end
  end
end

-- Write the records that the run has changed and their unique values, and what the header says of their kinds. A key
-- that is removed is not touched again.
local function write_own()
  for _, kind in pairs(own.kinds) do
    if kind.noted and kind.noted[1] then redis.call('HSET', KEYS.book, unpack(kind.noted)) end
  end
  for _, record in pairs(own.records) do
    if record.is_changed and record.was then
      RARE.write_stored(record)
    elseif record.is_changed and record.fields then
      local list = list_of(record)
      if #list > AT_ONCE then RARE.call_in_parts('HSET', record.key, list) else redis.call('HSET', record.key, unpack(list)) end
      if record.expires then RARE.expire_at(record.key, record.expiry) end
    end
  end
  if own.uniques then RARE.write_uniques() end
end
