-- Insert one record of the desk's own in the shortest way: a record that is not there, of a kind whose records stay and have neither
-- unique values nor sorted indexes, by a call of which nothing is lost or sent again. For all else the engine follows in this script; it
-- is built only when it is called, and decides anew: nothing has been written then.
-- Uses changes/short_way, changes/own_document, changes/numbers
-- KEYS book
--      events
--      positions
--      lock
--      step_keys...
-- Touches the indexes of the record
-- ARGV trader            up to the first step they are those of the engine
--      mode
--      writer
--      count
--      acknowledged
--      earlier
--      kept
--      channels
--      closed_ttl
--      request_ttl
--      record_refusals
--      fence
--      expected
--      step              'record', and what its function unpacks
--      verb
--      kind
--      id
--      ts_ns
--      digest
--      changed
--      schema
--      declared
--      request_id        absent, as all that comes after it, where all of these are ''
--      content
--      expected_version
--      ttl
--      upgraded
--      upgrade
--      next?             the next step
-- Returns what the engine returns

local AT_MOST = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

-- Write a record, given its fields and values as a list, and let it enter its indexes.
local function write_record(record, list, keys, id)
  redis.call('HSET', record, unpack(list))
  for i = 1, #keys do redis.call('ZADD', keys[i], '0', id) end
end

-- Return the reply, nil when the engine has to say it.
local function insert()
  local kind, id, ts_ns, schema, changed = ARGV.kind, ARGV.id, ARGV.ts_ns, ARGV.schema, ARGV.changed
  if ARGV.verb ~= 'INSERT' or ARGV.request_id or ARGV.fence ~= '' or ARGV.earlier ~= '' or ARGV.expected ~= ''
    or string.sub(ARGV.declared, -2) ~= '||'
    or string.find(changed, 'null', 1, true) and string.find(changed, '[^\\]"%s*:%s*null') then -- a field's own, none in JSON or text
    return nil
  end
  local format, sequence, writer, count, latest_ns, mark, declared, stay = unpack(redis.call('HMGET', KEYS.book, 'format', 'sequence',
    'writer', 'count', 'latest_ns', 'schema:' .. kind, 'fields:' .. kind .. ':' .. schema, 'stay:' .. kind))
  if stay ~= '1' or mark ~= schema or declared ~= ARGV.declared then return nil end
  local last = plain_last(format, sequence, writer, count, latest_ns)
  if not last then return nil end
  local record = KEYS[FIRST.step_keys]
  if redis.pcall('EXISTS', record, KEYS[FIRST.step_keys + 1]) ~= 0 then return nil end
  local fields, size, entered = cjson.decode(changed), 8, 1
  local list = {
    'version', '1', 'updated_ns', ts_ns, CONSTANTS.SCHEMA_FIELD, schema, CONSTANTS.DIGEST_FIELD, ARGV.digest,
    nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, -- as large at once as most become
  }
  for name, value in next, fields do
    list[size + 1], list[size + 2] = name, value
    size = size + 2
  end
  if size > AT_MOST then return nil end
  local head = string.sub(KEYS.book, 1, -5) .. kind
  local keys = { head .. '_keys' }
  for field in string.gmatch(declared, '[^ |]+') do
    local value = fields[field]
    if value then
      entered = entered + 1
      keys[entered] = head .. '_by_' .. field .. ':' .. value
    end
  end
  for i = 1, entered do
    if type(redis.pcall('ZCARD', keys[i])) ~= 'number' then return nil end
  end
  return carry_out(last, latest_ns, {
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'INSERT', 'ts_ns', ts_ns, 'kind', kind, 'key', id, 'version', '1',
    'changed', changed,
  }, document_of(ts_ns, kind, id, '1', changed, ''), { 'applied', integer_text(last + 1), '1' }, nil, write_record, record, list, keys, id)
end

local reply = insert()
if reply then return reply end
