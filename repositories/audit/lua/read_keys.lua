-- Shared: reads for scripts that verify a book.

-- Read a key; one of another type stops the script with an error that names the key.
local function read_key(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    if string.find(reply.err, 'WRONGTYPE', 1, true) then
      reply.err = 'WRONGTYPE ' .. key .. ' holds a ' .. redis.call('TYPE', key).ok
    end
    error(reply)
  end
  return reply
end

-- The number of an event that XINFO tells of a stream, '0' when there is no stream.
local function number_in(events, about)
  if redis.call('EXISTS', events) == 0 then return '0' end
  local told = redis.call('XINFO', 'STREAM', events)
  for i = 1, #told, 2 do
    if told[i] == about then return string.match(told[i + 1], '^%d+') end
  end
  return '0'
end

-- The number of the last event that was ever appended, even if it has been removed since.
local function last_sequence(events)
  return number_in(events, 'last-generated-id')
end

-- The highest number of an event that was deleted (XDEL), which a book never does; trimming does not count.
local function deleted_sequence(events)
  return number_in(events, 'max-deleted-entry-id')
end
