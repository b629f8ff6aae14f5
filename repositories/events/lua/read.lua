-- Read events for a consumer of a group, and create the group if there is none: either events that no consumer has been
-- given yet, or those that this consumer was given and has not acknowledged.
-- KEYS events
-- ARGV group
--      consumer
--      count          events to read, at most
--      since          the sequence number after which a new group begins
--      after          '>' for events that no consumer has been given, else the id after which to read the consumer's own
-- Returns {sequence number of the last event that the group had been given before, {id, fields, deliveries}…}, or {} as
--         long as there are no events

if redis.call('EXISTS', KEYS.events) == 0 then return {} end

local last_delivered
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS.events)) do
  local name, last_id
  for i = 1, #group, 2 do
    if group[i] == 'name' then name = group[i + 1] end
    if group[i] == 'last-delivered-id' then last_id = group[i + 1] end
  end
  if name == ARGV.group then last_delivered = string.match(last_id, '^%d+') end
end
if not last_delivered then
  redis.call('XGROUP', 'CREATE', KEYS.events, ARGV.group, ARGV.since .. '-0')
  last_delivered = ARGV.since
end

local streams = redis.call(
  'XREADGROUP', 'GROUP', ARGV.group, ARGV.consumer, 'COUNT', ARGV.count, 'STREAMS', KEYS.events, ARGV.after
)
local reply = { last_delivered }
for _, entry in ipairs(streams and streams[1][2] or {}) do
  local deliveries = 1
  if ARGV.after ~= '>' then
    deliveries = redis.call('XPENDING', KEYS.events, ARGV.group, entry[1], entry[1], 1)[1][4]
  end
  reply[#reply + 1] = { entry[1], entry[2], deliveries }
end
return reply
