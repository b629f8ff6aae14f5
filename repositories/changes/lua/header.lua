-- Shared: the header of a book, a hash with the format of the book, the number of its last event, and who wrote that event:
-- the mark of the writer, and the writer's own count of the change. It also has the latest time of all events so far, which
-- may be that of one that is no longer kept. And it has the switch of trading, and what limits.lua says of limits where there are any.
-- Uses changes/numbers

local FORMAT = CONSTANTS.FORMAT

-- Return the number of the last event that was ever written, even if it has been deleted since.
local function last_generated(events)
  if redis.call('EXISTS', events) == 0 then return 0 end
  local stream = redis.call('XINFO', 'STREAM', events)
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then return string.match(stream[i + 1], '^%d+') + 0 end
  end
end

-- Return the later of two times, in nanoseconds since 1970: numbers that a double does not hold, as text.
local function later_of(one, other)
  if #one ~= #other then return #one > #other and one or other end
  return one > other and one or other
end

-- Return the latest of a time and those of a stream's events after a number.
local function latest_after(events, number, latest_ns)
  for _, event in ipairs(redis.call('XRANGE', events, '(' .. integer_text(number) .. '-0', '+')) do
    for i = 1, #event[2], 2 do
      if event[2][i] == 'ts_ns' then latest_ns = later_of(latest_ns, event[2][i + 1]) end
    end
  end
  return latest_ns
end

-- Return the number of the last event of a book, the writer's mark and count, the latest time of an event, whether there is no
-- header yet, the switch of trading, and the text of limits; or nil and the reply that says why the header cannot be
-- used. A book without one, which is new nearly always, has its stream's number and time.
local function read_header(key, events)
  local format, sequence, writer, count, latest_ns, trading, limits =
    unpack(redis.call('HMGET', key, 'format', 'sequence', 'writer', 'count', 'latest_ns', 'trading', 'limits'))
  if not format then
    return RARE.last_generated(events), '', '', RARE.latest_after(events, 0, ''), true
  end
  if format ~= FORMAT then return nil, { 'corrupt', key, 'format', format } end
  if not sequence or #sequence > 15 or not string.find(sequence, '^%d+$') then
    return nil, { 'corrupt', key, 'sequence', sequence or '' }
  end
  return sequence + 0, writer or '', count or '', latest_ns or '', false, trading, limits
end

-- Return whether one of the last events has the mark of a writer, and a count of a list, each after a blank.
local function has_event_of(events, writer, counts)
  local before = '+'
  for _ = 1, 10 do
    local page = redis.call('XREVRANGE', events, before, '-', 'COUNT', 100)
    for _, event in ipairs(page) do
      local count = event[2][4]
      if event[2][2] == writer and count and string.find(counts .. ' ', ' ' .. count .. ' ', 1, true) then return true end
      before = '(' .. event[1]
    end
    if #page < 100 then return false end
  end
  return false
end

-- Compare a book with what was acknowledged to a writer: the text has the number, mark and count of one event after another,
-- each of which the book has to have. An event that is no longer kept proves nothing. Return nil when it has them. Else return
-- a list: the numbers that are lost, in one text, the number of the first event that is kept, then number and count of events
-- of this writer below the lowest of the lost ones, the last first.
local function find_loss(events, last, tip, acknowledged, writer)
  local function has_event(number, mark, count)
    if number > last then return false end
    local id = integer_text(number) .. '-0'
    local event = redis.call('XRANGE', events, id, id)[1]
    return not event or (event[2][2] == mark and event[2][4] == count)
  end

  local function number_of(event)
    return string.match(event[1], '^%d+')
  end

  local lost, numbers
  for number, mark, count in string.gmatch(acknowledged, '(%d+) (%x*) (%d*)') do
    local is_tip = number .. ' ' .. mark .. ' ' .. count == tip
    number = number + 0
    if not is_tip and not has_event(number, mark, count) then
      numbers = (numbers and numbers .. ' ' or '') .. integer_text(number)
      if not lost or number < lost then lost = number end
    end
  end
  if not lost then return nil end
  local first = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
  local found = { numbers, first and number_of(first) or '0' }
  local before, pages = '(' .. integer_text(lost) .. '-0', 0
  repeat
    local page = redis.call('XREVRANGE', events, before, '-', 'COUNT', 100)
    for _, event in ipairs(page) do
      if event[2][2] == writer then found[#found + 1], found[#found + 2] = number_of(event), event[2][4] end
      before = '(' .. event[1]
    end
    pages = pages + 1
  until #page < 100 or #found > 100 or pages == 20
  return found
end
