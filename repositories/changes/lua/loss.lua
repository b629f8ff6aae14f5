-- Shared: what a writer was acknowledged, compared with the stream of events.
-- Uses changes/numbers

-- The number of an event; its first field is the mark of who wrote it.
local function number_of(event)
  return string.match(event[1], '^%d+') + 0
end

local function last_sequence(events)
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  return last and number_of(last) or 0, last
end

-- The number of the last event that there ever was, though someone may have deleted it.
local function last_generated(events)
  if redis.call('EXISTS', events) == 0 then return 0 end
  local stream = redis.call('XINFO', 'STREAM', events)
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then return tonumber(string.match(stream[i + 1], '^%d+')) end
  end
end

-- The first number after the last event up to `number` that has the writer's mark. Replicas receive events in order, so
-- whatever came before an event of this writer that is still there, is still there too.
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

-- A book's past, compared with what one of its writers was told: `told` is the number of the last change acknowledged to it,
-- 0 for none, and the mark that it leaves on its events. Returns a table of the last number, the mark, and the first number
-- that is lost, nil when none is.
local function compare_past(events, told)
  local acknowledged, writer = string.match(told, '^(%d+) (%x+)$')
  local last, event = last_sequence(events)
  acknowledged = acknowledged + 0
  local known = { last = last, writer = writer, told = acknowledged }
  if acknowledged == 0 then return known end
  if acknowledged < last then
    event = redis.call('XRANGE', events, integer_text(acknowledged) .. '-0', integer_text(acknowledged) .. '-0')[1]
  elseif acknowledged > last then
    event = nil
  end
  if event and event[2][2] == writer then return known end
  if not event and acknowledged <= last_generated(events) then return known end -- trimmed, or deleted by hand
  known.lost = first_lost(events, math.min(acknowledged, last), writer)
  return known
end

-- A reply, and with it what was found lost.
local function with_loss(before, reply)
  if before.lost then return { 'lost', integer_text(before.lost), reply } end
  return reply
end

-- A reply to a change that was applied before. If its first reply never came, the writer does not know of its event; so a
-- reply to a repeat says how far the writer's events go, and from now on they are as good as acknowledged.
local function answer_repeat(events, before, reply)
  local unknown = redis.call('XREVRANGE', events, '+', '(' .. integer_text(before.told) .. '-0', 'COUNT', 20)
  for _, event in ipairs(unknown) do
    if event[2][2] == before.writer then return with_loss(before, { 'seen', integer_text(number_of(event)), reply }) end
  end
  return with_loss(before, reply)
end
