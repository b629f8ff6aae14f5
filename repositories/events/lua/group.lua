-- Shared: the events that a group has pending, and the name under which those are kept that were given back.
-- A pending event's count is how often it was handed over to a handler: whoever reads, claims or gives it back leaves it.

-- No consumer can have this name: names have no braces.
local GIVEN_BACK = '{given back}'

-- Return the reply to a command about a group, or nil if there is no such group. Any other error ends the script.
local function unless_no_group(reply)
  if not reply.err then return reply end
  if not string.find(reply.err, 'NOGROUP', 1, true) then error(reply) end
end

-- Return {id, consumer, idle, hand-overs} of a pending event, if it is one, and of this consumer if one is given.
local function pending_event(events, group, id, consumer)
  local of = consumer and { consumer } or {}
  local found = unless_no_group(redis.pcall('XPENDING', events, group, id, id, 1, unpack(of)))
  return found and found[1]
end

-- Return whether an event is still kept. One that is not must stay where it is: when it is given to a consumer, the server
-- forgets it, and nobody would say that it is gone.
local function is_kept(events, id)
  return #redis.call('XRANGE', events, id, id) > 0
end

-- Make a pending event that is kept belong to a consumer from now on, handed over this many times.
local function give(events, group, consumer, id, hand_overs)
  redis.call('XCLAIM', events, group, consumer, 0, id, 'RETRYCOUNT', hand_overs, 'JUSTID')
end

-- Return {id, fields or false when it is no longer kept, hand-overs} of an event.
local function described(events, id, hand_overs)
  local entry = redis.call('XRANGE', events, id, id)[1]
  return { id, entry and entry[2] or false, hand_overs }
end

-- Return the sequence number of a stream's first or last event, 0 when it has none.
local function end_of(events, command, from, to)
  local entry = redis.call(command, events, from, to, 'COUNT', 1)[1]
  return entry and tonumber(string.match(entry[1], '^%d+')) or 0
end

-- Return the sequence number of the last event that a group was given, or nil if there is no such group.
local function group_position(events, group)
  for _, fields in ipairs(redis.call('XINFO', 'GROUPS', events)) do
    local name, last_id
    for i = 1, #fields, 2 do
      if fields[i] == 'name' then name = fields[i + 1] end
      if fields[i] == 'last-delivered-id' then last_id = fields[i + 1] end
    end
    if name == group then return tonumber(string.match(last_id, '^%d+')) end
  end
end
