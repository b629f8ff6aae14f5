-- Of the engine: change a record of the desk's own: insert, put, update or delete it.
-- Uses changes/run, changes/schemas, changes/revision, changes/own_index, changes/order_text

local DIGEST_FIELD = CONSTANTS.DIGEST_FIELD
local AT_ONCE = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

-- Return a record as it is by now: its `fields` by name, nil when there is none; and as it is stored, `was`.
local function load_own(key)
  own = own or { records = {}, uniques = {}, kinds = {} }
  local record = own.records[key]
  if record then return record end
  local flat = redis.call('HGETALL', key)
  record = { key = key, was = {} }
  if #flat > 0 then
    record.fields, record.is_stored = {}, true
    for i = 1, #flat, 2 do
      record.was[flat[i]], record.fields[flat[i]] = flat[i + 1], flat[i + 1]
    end
  end
  own.records[key] = record
  return record
end

-- Return a unique value as it is by now: the key of the record that has it is its `owner`, nil when none has.
local function load_unique(key)
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

-- Plan what a record enters and leaves in its indexes, each of which is read.
local function plan_indexes(plan, kind, id, before, after, renews, was, now)
  local function change(list, name, value, member)
    list[#list + 1] = { load_own_index(kind .. name, value), member }
  end

  if after and (renews or not before) then change(plan.entered, '_keys', '', id) end
  if not after then change(plan.left, '_keys', '', id) end
  before, after = before or {}, after or {}
  for _, move in ipairs(moves_of(was.indexes, now.indexes, before, after)) do
    local from, to, name = move.from, move.to, '_by_' .. move.field
    if from and from ~= to then change(plan.left, name, ':' .. from, id) end
    if to and (renews or from ~= to) then change(plan.entered, name, ':' .. to, id) end
  end
  for _, move in ipairs(moves_of(was.sorted, now.sorted, before, after)) do
    local from, to, name = move.from, move.to, '_sorted_' .. move.field
    local old = from and from ~= to and RARE.order_text(move.form, from) -- nil for a text that somebody else wrote
    local new = to and (renews or from ~= to) and RARE.order_text(move.form, to)
    if old then change(plan.left, name, '', old .. ':' .. id) end
    if new then change(plan.entered, name, '', new .. ':' .. id) end
  end
end

-- Return the indexes and unique values that a record enters and leaves by a change, each read while the change can still be
-- refused; or nil and the refusal, when another record has a unique value. It was found by what one declaration says, and will
-- be by another. With `renews`, those that it stays in get a new expiry.
local function plan_own(kind, id, before, after, renews, was, now)
  local plan = { entered = {}, left = {}, taken = {}, freed = {} }
  plan_indexes(plan, kind, id, before, after, renews, was, now)
  before, after = before or {}, after or {}
  for _, move in ipairs(moves_of(was.uniques, now.uniques, before, after)) do
    local from, to, name = move.from, move.to, base .. kind .. '_unique_' .. move.field .. ':'
    local old = from and from ~= to and load_unique(name .. from)
    if old and old.owner == id then plan.freed[#plan.freed + 1] = old end
    local new = to and (renews or from ~= to) and load_unique(name .. to)
    if new and (not new.owner or new.owner == id) then
      plan.taken[#plan.taken + 1] = new
    elseif new and from ~= to then
      return nil, { 'unique', move.field, to, new.owner }
    end
  end
  return plan
end

-- Change a record as planned.
local function apply_own(record, id, after, expiry, plan)
  record.fields, record.expiry, record.is_changed = after, expiry, true
  for _, one in ipairs(plan.left) do one[1].members[one[2]] = false end
  for _, one in ipairs(plan.entered) do one[1].members[one[2]] = expiry end
  for _, unique in ipairs(plan.freed) do unique.owner, unique.is_changed = nil, true end
  for _, unique in ipairs(plan.taken) do unique.owner, unique.expiry, unique.is_changed = id, expiry, true end
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

-- Return {'applied', sequence, version, fields and values}
--        {'repeat', sequence, version, fields and values, event}: 0 for what is not known, or for what was not there to delete
--        {'older', fields and values}: an update of a record of an older schema, whose upgrade is to be sent with it
--        {'taken', fields and values}: inserted before with other content
--        {'unique', field, value, key}  {'version', version}  {'absent'}  {'duplicate'}  {'corrupt', key, field, value}
--        {'newer', schema}: of the record, or of all of the trader's records  {'declared', text}: otherwise before
--        {'fence', lock, fence}
local function change_own(at)
  local verb, kind, id, request_id, ts_ns, ttl, expected, digest, content, changed, schema, declared, upgraded, upgrade =
    unpack(ARGV, at, at + 13)
  local record, tombstone = load_own(base .. kind .. ':' .. id), base .. kind .. '_deleted:' .. id
  local request = request_id ~= '' and base .. 'request:' .. request_id
  local known = load_kind(kind, schema)
  local settled = answer_to_settled(verb, record, tombstone, request, digest, content,
    schema_refusal(known, record, schema, declared))
  if settled then return settled end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local before, version, odd = record.fields, version_of(record)
  if not version then return odd end
  if verb == 'UPDATE' and not before then return { 'absent' } end
  if expected ~= '' and expected + 0 ~= version then return { 'version', integer_text(version) } end
  local was = before and declaration_of(known, before[SCHEMA_FIELD], schema, declared)
  if before and not was then return { 'corrupt', KEYS.book, field_of_kind(kind, before[SCHEMA_FIELD]), '' } end
  if verb == 'UPDATE' and before[SCHEMA_FIELD] ~= schema then
    if upgraded ~= before.version .. ' ' .. before[SCHEMA_FIELD] then return { 'older', list_of(record) } end
    changed = upgrade
  end

  local expiry = ttl ~= '' and verb ~= 'DELETE' and RARE.expiry_after(ttl) or 'inf'
  record.expires = record.expires or record.is_stored and redis.call('PEXPIRETIME', record.key) > 0 or expiry ~= 'inf'
  local made = integer_text(version + 1)
  local after = verb ~= 'DELETE' and fields_after(verb, before, changed, made, ts_ns, digest, schema) or nil
  local gone = verb == 'DELETE' and (text_at(tombstone) or '')
  local now = parsed(declared)
  local plan, taken = plan_own(kind, id, before, after, expiry ~= 'inf' or record.expires, was and parsed(was) or now, now)
  if not plan then return taken end
  if after then note_schema(known, schema, declared) end
  apply_own(record, id, after, expiry, plan)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', verb, 'ts_ns', ts_ns, 'request_id', request_id, 'kind', kind,
    'key', id, 'version', made, 'changed', changed,
  }, false, '')
  requests = requests or {}
  if request then requests[request] = number .. ' ' .. verb .. ' ' .. made .. ' ' .. content end
  if gone then
    requests[tombstone] = deletions(number, before[DIGEST_FIELD] or '', gone) -- what this call deletes it may insert again
  end
  return { 'applied', number, made, verb == 'UPDATE' and list_of(record) or {} } -- what is stored whole is known
end

-- Call a command of a key with a list of words, some at a time.
local function call_in_parts(command, key, words)
  for first = 1, #words, AT_ONCE do
    redis.call(command, key, unpack(words, first, math.min(first + AT_ONCE - 1, #words)))
  end
end

-- Write the records that the run has changed and their unique values, and what the header says of their kinds. A key
-- that is removed is not touched again.
local function write_own()
  for _, kind in pairs(own.kinds) do
    if #kind.noted > 0 then redis.call('HSET', KEYS.book, unpack(kind.noted)) end
  end
  for _, record in pairs(own.records) do
    if record.is_changed and record.fields then
      local set, cleared = writes_between(record.was, record.fields)
      call_in_parts('HSET', record.key, set)
      call_in_parts('HDEL', record.key, cleared)
      if record.expiry ~= 'inf' or record.expires then RARE.expire_at(record.key, record.expiry) end
    elseif record.is_changed and record.is_stored then
      redis.call('UNLINK', record.key)
    end
  end
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
