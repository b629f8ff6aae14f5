-- Read positions and whether they are listed, at one moment, each with what is remembered of a request for its change.
-- Uses audit/read_keys
-- KEYS events
--      positions    the set of the trader's symbols
-- Touches the positions and requests
-- ARGV base                    what the trader's keys begin with
--      symbols_and_requests... for each position to read its symbol, and a request_id, '' for none
-- Returns {last sequence, position…}; each {symbol, 1 when it is listed, {field, value, …}, text of the request or ''}

local found = { last_sequence(KEYS.events) }
for i = FIRST.symbols_and_requests, #ARGV, 2 do
  local symbol, request_id = ARGV[i], ARGV[i + 1]
  local request = request_id ~= '' and read_key('GET', ARGV.base .. 'request:' .. request_id)
  found[#found + 1] = {
    symbol, read_key('SISMEMBER', KEYS.positions, symbol), read_key('HGETALL', ARGV.base .. 'position:' .. symbol),
    request or '',
  }
end
return found
