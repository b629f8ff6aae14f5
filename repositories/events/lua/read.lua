-- Read events for a consumer of a group, and create the group if there is none: those that were given back and those that
-- no consumer has been given yet, or those that this consumer has and has not acknowledged.
-- Uses events/group
-- KEYS events
-- ARGV group
--      consumer
--      count          events to read, at most; 0 only to create the group
--      since          the sequence number after which a new group begins; empty for the last event
--      after          '>' for events that no consumer has, else the id after which to read the consumer's own
--      known          the id of an event that the consumer knows, or empty
--      digest         the SHA-1 of its fields
-- Returns {the group's position before; the position from which it goes on, 0 when events that it was given are gone;
--         the last event; 1 if the group was created; 1 if the event that is known is there; {id, fields, hand-overs}…},
--         or {} as long as there are no events

if redis.call('EXISTS', KEYS.events) == 0 then return {} end

local last = end_of(KEYS.events, 'XREVRANGE', '+', '-')
local before = group_position(KEYS.events, ARGV.group)
local created = not before
if created then before = tonumber(ARGV.since) or last end
-- A group that is ahead of the stream would be given nothing until the stream has caught up.
local position = before <= last and before or 0
if created then
  redis.call('XGROUP', 'CREATE', KEYS.events, ARGV.group, string.format('%.0f-0', position))
elseif position ~= before then
  redis.call('XGROUP', 'SETID', KEYS.events, ARGV.group, '0-0')
end

local intact = 1
if ARGV.known ~= '' then
  local entry = redis.call('XRANGE', KEYS.events, ARGV.known, ARGV.known)[1]
  -- One that is not there any more has been trimmed, unless it should be behind the end.
  if entry and redis.sha1hex(table.concat(entry[2], '\n')) ~= ARGV.digest then intact = 0 end
end

local reply = { before, position, last, created and 1 or 0, intact }
local left = tonumber(ARGV.count)
if left == 0 then return reply end
local own = ARGV.after ~= '>'
local found = redis.call(
  'XPENDING', KEYS.events, ARGV.group, own and '(' .. ARGV.after or '-', '+', left, own and ARGV.consumer or GIVEN_BACK
)
for _, pending in ipairs(found) do
  local event = described(KEYS.events, pending[1], pending[4])
  if event[2] then give(KEYS.events, ARGV.group, ARGV.consumer, pending[1], pending[4]) end
  reply[#reply + 1] = event
end
if own then return reply end
left = math.max(left - #found, 0)
if left == 0 then return reply end
local streams = redis.call(
  'XREADGROUP', 'GROUP', ARGV.group, ARGV.consumer, 'COUNT', left, 'STREAMS', KEYS.events, '>'
)
for _, entry in ipairs(streams and streams[1][2] or {}) do
  give(KEYS.events, ARGV.group, ARGV.consumer, entry[1], 0)
  reply[#reply + 1] = { entry[1], entry[2], 0 }
end
return reply
