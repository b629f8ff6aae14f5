-- Shared: append the event of a change to the book's stream, and publish it.
-- Uses changes/numbers, changes/loss

local EVENT_FIELDS = CONSTANTS.EVENT_FIELDS

local appended -- the event that this script has appended, until it is published; nil when it is published nowhere

-- Append an event and return its number, which is its id, so that a gap would be seen. This is always the first write: if the
-- server refuses it, nothing is changed, and the error is returned as the second value. The policy '<number> <channels>' says
-- how many events are kept, and on which channels they are published.
local function append_event(events, before, policy, fields)
  local entry, size = { 'writer', before.writer }, 2
  for _, field in ipairs(EVENT_FIELDS) do
    local value = fields[field]
    if value and value ~= '' then
      entry[size + 1], entry[size + 2] = field, value
      size = size + 2
    end
  end
  local kept, channels = string.match(policy, '^(%d+)(.*)$')
  local sequence = integer_text(before.last + 1)
  local added = redis.pcall('XADD', events, 'MAXLEN', '~', kept, sequence .. '-0', unpack(entry))
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'equal or smaller', 1, true) then return nil, added end
    sequence = integer_text(last_generated(events) + 1) -- the number of an event that was deleted by hand is not used again
    redis.call('XADD', events, 'MAXLEN', '~', kept, sequence .. '-0', unpack(entry))
  end
  if channels ~= '' then
    appended = { events = events, sequence = sequence, entry = entry, fields = fields, channels = channels }
  end
  return sequence
end

-- Return a text as it is written between the quotes of a JSON string.
local function escaped(text)
  return string.sub(string.gsub(cjson.encode(text), '\\/', '/'), 2, -2)
end

-- Publish the event that was appended. This is always last, and never fails a change: the stream has the event, also where the
-- user may not publish, or the server cannot. Of the values of an event, only names and text can need an escape in JSON.
local function publish_event()
  if not appended then return end
  local prefix, trader = string.match(appended.events, '^(.*){(.*)}:events$')
  local entry, fields = appended.entry, appended.fields
  local free = trader .. fields.symbol .. (fields.order_id or '') .. (fields.exec_id or '') .. (fields.request_id or '')
    .. (fields.text or '')
  local plain = not string.find(free, '[%c"\\]')
  local pieces, size = { '{"trader":"', plain and trader or escaped(trader), '","sequence":"', appended.sequence }, 4
  for i = 3, #entry, 2 do
    local value = entry[i + 1]
    pieces[size + 1], pieces[size + 2], pieces[size + 3] = '","', entry[i], '":"'
    pieces[size + 4] = plain and value or escaped(value)
    size = size + 4
  end
  pieces[size + 1], pieces[size + 2], pieces[size + 3] = '","writer":"', entry[2], '"}'
  local document = table.concat(pieces)
  if string.find(appended.channels, 'traders', 1, true) then
    local published = redis.pcall('SPUBLISH', appended.events, document)
    if type(published) == 'table' and string.find(published.err or '', 'nknown', 1, true) then
      redis.pcall('PUBLISH', appended.events, document) -- before Redis 7.0
    end
  end
  if string.find(appended.channels, 'order_events', 1, true) then
    redis.pcall('PUBLISH', prefix .. 'order_events', document)
  end
  if string.find(appended.channels, 'symbols', 1, true) then
    local kind = fields.type == 'TRADE' and 'fill' or string.lower(fields.type)
    redis.pcall('PUBLISH', prefix .. 'events.' .. fields.symbol .. '.' .. kind, document)
  end
end
