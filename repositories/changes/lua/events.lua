-- Shared: append the event of a change and publish it.
-- Uses changes/numbers, changes/loss

-- The fields of an event, in the one order in which they are written, after the mark of who wrote it.
local EVENT_FIELDS = CONSTANTS.EVENT_FIELDS

local news -- the event that this script has appended, until it is announced

-- Append an event and return its number, which is its id, so that a gap could not go unseen. Always the first write: should
-- the server refuse it, nothing else has happened. The policy says how many events are kept, and where they are announced.
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
    sequence = integer_text(last_generated(events) + 1) -- the number of an event that someone deleted is used up all the same
    redis.call('XADD', events, 'MAXLEN', '~', kept, sequence .. '-0', unpack(entry))
  end
  if channels ~= '' then news = { events = events, sequence = sequence, entry = entry, fields = fields, channels = channels } end
  return sequence
end

-- A text as it stands between the quotes of a JSON string.
local function escaped(text)
  return string.sub(string.gsub(cjson.encode(text), '\\/', '/'), 2, -2)
end

-- Tell subscribers of the event that was appended: always last, and never a reason to fail, for the stream has it. A server
-- that may not, or cannot, publish has not changed less of the book for that. Of what an event says, only names and text can
-- need an escape.
local function publish_event()
  if not news then return end
  local prefix, trader = string.match(news.events, '^(.*){(.*)}:events$')
  local entry, fields = news.entry, news.fields
  local free = trader .. fields.symbol .. (fields.order_id or '') .. (fields.exec_id or '') .. (fields.request_id or '')
    .. (fields.text or '')
  local plain = not string.find(free, '[%c"\\]')
  local pieces, size = { '{"trader":"', plain and trader or escaped(trader), '","sequence":"', news.sequence }, 4
  for i = 3, #entry, 2 do
    local value = entry[i + 1]
    pieces[size + 1], pieces[size + 2], pieces[size + 3] = '","', entry[i], '":"'
    pieces[size + 4] = plain and value or escaped(value)
    size = size + 4
  end
  pieces[size + 1], pieces[size + 2], pieces[size + 3] = '","writer":"', entry[2], '"}'
  local document = table.concat(pieces)
  if string.find(news.channels, 'traders', 1, true) then
    local heard = redis.pcall('SPUBLISH', news.events, document)
    if type(heard) == 'table' and string.find(heard.err or '', 'nknown', 1, true) then
      redis.pcall('PUBLISH', news.events, document) -- before Redis 7.0
    end
  end
  if string.find(news.channels, 'order_events', 1, true) then redis.pcall('PUBLISH', prefix .. 'order_events', document) end
  if string.find(news.channels, 'symbols', 1, true) then
    local kind = fields.type == 'TRADE' and 'fill' or string.lower(fields.type)
    redis.pcall('PUBLISH', prefix .. 'events.' .. fields.symbol .. '.' .. kind, document)
  end
end
