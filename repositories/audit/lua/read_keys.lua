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

-- The number of the last event that was ever appended, even if it has been removed since.
local function last_sequence(events)
  if redis.call('EXISTS', events) == 0 then return '0' end
  local about = redis.call('XINFO', 'STREAM', events)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then return string.match(about[i + 1], '^%d+') end
  end
end
