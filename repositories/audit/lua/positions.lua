-- Read positions and whether they are listed, at one moment, each with what is remembered of a request for its change.
-- Uses audit/read_keys
-- KEYS events
--      positions    the set that lists them by the names
-- Touches the positions and requests
-- ARGV base                  what the keys of the positions begin with
--      requests             what the keys of requests begin with
--      names_and_requests... for each position its name: the symbol, or account and symbol; and a request_id, '' for none
-- Returns {last sequence, position…}; each {name, 1 when it is listed, {field, value, …}, text of the request or ''}

local found = { last_sequence(KEYS.events) }
for i = FIRST.names_and_requests, #ARGV, 2 do
  local name, request_id = ARGV[i], ARGV[i + 1]
  local request = request_id ~= '' and read_key('GET', ARGV.requests .. request_id)
  found[#found + 1] = {
    name, read_key('SISMEMBER', KEYS.positions, name), read_key('HGETALL', ARGV.base .. name), request or '',
  }
end
return found
