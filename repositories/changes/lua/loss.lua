-- Shared: compare a book's events with the last change that was acknowledged to one of its writers. A writer is identified by
-- its mark, which is the first field of every event that it writes.
-- Uses changes/numbers

-- Return the number of an event.
local function number_of(event)
  return string.match(event[1], '^%d+') + 0
end

-- Return the number of the last event that is kept, 0 when there is none, and the event.
local function last_sequence(events)
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  return last and number_of(last) or 0, last
end

-- Return the number of the last event that was ever written, even if it has been deleted since.
local function last_generated(events)
  if redis.call('EXISTS', events) == 0 then return 0 end
  local stream = redis.call('XINFO', 'STREAM', events)
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then return tonumber(string.match(stream[i + 1], '^%d+')) end
  end
end

-- Return the first number after the last event, up to a number, that has the writer's mark. Replicas receive events in order,
-- so everything that came before an event of this writer that is still there is still there, too.
local function first_lost(events, number, writer)
  local before = integer_text(number) .. '-0'
  while true do
    local page = redis.call('XREVRANGE', events, before, '-', 'COUNT', 100)
    for _, event in ipairs(page) do
      if event[2][2] == writer then return number_of(event) + 1 end
    end
    if #page < 100 then return #page > 0 and number_of(page[#page]) or 1 end
    before = '(' .. page[#page][1]
  end
end

-- Compare the book's events with `acknowledged_to`, the text '<number> <mark>': the number of the last change that was
-- acknowledged to the writer, 0 for none, and its mark. Return a table: `last`, the number of the last event; `writer`, the
-- mark; `acknowledged`, the number; and `lost`, the first number that is lost, nil when none is.
local function compare_past(events, acknowledged_to)
  local acknowledged, writer = string.match(acknowledged_to, '^(%d+) (%x+)$')
  local last, event = last_sequence(events)
  acknowledged = acknowledged + 0
  local before = { last = last, writer = writer, acknowledged = acknowledged }
  if acknowledged == 0 then return before end
  if acknowledged < last then
    event = redis.call('XRANGE', events, integer_text(acknowledged) .. '-0', integer_text(acknowledged) .. '-0')[1]
  elseif acknowledged > last then
    event = nil
  end
  if event and event[2][2] == writer then return before end
  if not event and acknowledged <= last_generated(events) then return before end -- trimmed, or deleted by hand
  before.lost = first_lost(events, math.min(acknowledged, last), writer)
  return before
end

-- Return a reply, in an envelope that says what was found lost, if anything was.
local function with_loss(before, reply)
  if before.lost then return { 'lost', integer_text(before.lost), reply } end
  return reply
end

-- Return the reply to a change that was applied before. If its first reply was lost, the writer never got the number of its
-- event. So this reply gives the number of the writer's last event, up to which its events count as acknowledged from then on.
local function answer_repeat(events, before, reply)
  local unknown = redis.call('XREVRANGE', events, '+', '(' .. integer_text(before.acknowledged) .. '-0', 'COUNT', 20)
  for _, event in ipairs(unknown) do
    if event[2][2] == before.writer then return with_loss(before, { 'seen', integer_text(number_of(event)), reply }) end
  end
  return with_loss(before, reply)
end
