-- Insert one record of the desk's own in the shortest way: a record that is not there, of a kind whose records stay and have neither
-- unique values nor sorted indexes, by a call of which nothing is lost or sent again. For all else the engine follows in this script; it
-- is built only when it is called, and decides anew: nothing has been written then.
-- Uses changes/header, changes/own_document, changes/publish, changes/numbers
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
--      request_id
--      ts_ns
--      ttl
--      expected_version
--      digest
--      content
--      changed
--      schema
--      declared
--      upgraded
--      upgrade
--      next?             the next step
-- Returns what the engine returns

local AT_MOST = 4000 -- the values that a command is given: more may not fit the stack of the server's Lua

-- Return whether the stream has the event that was acknowledged to the writer, and behind which others have written; one that is no
-- longer kept proves nothing. False where several were acknowledged.
local function is_proved(last)
  local number, mark, count = string.match(ARGV.acknowledged, '^(%d+) (%x*) (%d*)$')
  if not number or number + 0 > last then return false end
  local event = redis.pcall('XRANGE', KEYS.events, number .. '-0', number .. '-0')[1]
  return not event or (event[2][2] == mark and event[2][4] == count)
end

-- Return the number of the last event, its writer and count, and the latest time; nil when the header says anything for which the
-- engine has to look further.
local function plain_header(kind, schema)
  local format, sequence, writer, count, latest_ns, mark, declared, stay = unpack(redis.call('HMGET', KEYS.book, 'format', 'sequence',
    'writer', 'count', 'latest_ns', 'schema:' .. kind, 'fields:' .. kind .. ':' .. schema, 'stay:' .. kind))
  if format ~= CONSTANTS.FORMAT or stay ~= '1' or mark ~= schema or declared ~= ARGV.declared or not (writer and count and latest_ns) then
    return nil
  end
  if not sequence or #sequence > 15 or not string.find(sequence, '^%d+$') then return nil end
  if writer == ARGV.writer and count == ARGV.count then return nil end
  if ARGV.acknowledged ~= '' and ARGV.acknowledged ~= sequence .. ' ' .. writer .. ' ' .. count and not is_proved(sequence + 0) then
    return nil
  end
  return sequence + 0, latest_ns
end

-- Return the keys of the indexes that a record enters, given its fields; nil when one cannot be written.
local function plain_indexes(head, fields)
  local keys = { head .. '_keys' }
  for field in string.gmatch(ARGV.declared, '[^ |]+') do
    if fields[field] then keys[#keys + 1] = head .. '_by_' .. field .. ':' .. fields[field] end
  end
  for i = 1, #keys do
    if type(redis.pcall('ZCARD', keys[i])) ~= 'number' then return nil end
  end
  return keys
end

-- Return the reply, nil when the engine has to say it.
local function insert()
  local kind, id, ts_ns, schema, changed = ARGV.kind, ARGV.id, ARGV.ts_ns, ARGV.schema, ARGV.changed
  if ARGV.verb ~= 'INSERT' or ARGV.next or ARGV.ttl ~= '' or ARGV.fence ~= '' or ARGV.earlier ~= '' or ARGV.expected ~= ''
    or string.sub(ARGV.declared, -2) ~= '||' or string.find(changed, 'null', 1, true) then
    return nil
  end
  local last, latest_ns = plain_header(kind, schema)
  if not last then return nil end
  local head = string.sub(KEYS.book, 1, -5) .. kind
  local record = head .. ':' .. id
  if redis.pcall('HLEN', record) ~= 0 or redis.pcall('GET', head .. '_deleted:' .. id) then return nil end
  local fields = cjson.decode(changed)
  local keys = plain_indexes(head, fields)
  local list = { 'version', '1', 'updated_ns', ts_ns, CONSTANTS.SCHEMA_FIELD, schema, CONSTANTS.DIGEST_FIELD, ARGV.digest }
  local size = 8
  for name, value in pairs(fields) do
    list[size + 1], list[size + 2] = name, value
    size = size + 2
  end
  if not keys or size > AT_MOST then return nil end

  local number = integer_text(last + 1)
  local event = {
    'writer', ARGV.writer, 'count', ARGV.count, 'type', 'INSERT', 'ts_ns', ts_ns, 'kind', kind, 'key', id, 'version', '1',
    'changed', changed,
  }
  local added = redis.pcall('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, number .. '-0', unpack(event))
  if type(added) == 'table' and added.err then return nil end
  local went_well, failed = pcall(function()
    redis.call('HSET', record, unpack(list))
    for i = 1, #keys do redis.call('ZADD', keys[i], '0', id) end
    redis.call('HSET', KEYS.book, 'sequence', number, 'writer', ARGV.writer, 'count', ARGV.count, 'latest_ns',
      later_of(latest_ns, ts_ns))
  end)
  if not went_well then return { 'unfinished', type(failed) == 'table' and failed.err or tostring(failed) } end
  publish(KEYS.events, ARGV.trader, last, { event }, { document_of(ts_ns, kind, id, '1', changed, '') }, ARGV.channels)
  return { '', number .. ' ' .. ARGV.writer .. ' ' .. ARGV.count, { 'applied', number, '1', {} } }
end

local reply = insert()
if reply then return reply end
