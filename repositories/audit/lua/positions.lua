-- Read positions and whether they are listed, at one moment.
-- Uses audit/read_keys
-- KEYS events
--      positions    the set of the trader's symbols
-- Touches the positions
-- ARGV base          what the trader's keys begin with
--      symbols...    of the positions to read
-- Returns {last sequence, position…}; each {symbol, 1 when it is listed, {field, value, …}}

local found = { last_sequence(KEYS.events) }
for i = FIRST.symbols, #ARGV do
  local symbol = ARGV[i]
  local key = ARGV.base .. 'position:' .. symbol
  found[i] = { symbol, read_key('SISMEMBER', KEYS.positions, symbol), read_key('HGETALL', key) }
end
return found
