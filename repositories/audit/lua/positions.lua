-- Positions and whether they are listed, at one moment.
-- Uses audit/reading
-- KEYS  1 events  2 positions; and the positions
-- ARGV  1 base of the trader's keys  2.. symbols
-- Returns {last sequence, position…}; each {symbol, 1 when it is listed, {field, value, …}}

local found = { last_sequence(KEYS[1]) }
for i = 2, #ARGV do
  found[i] = { ARGV[i], ask('SISMEMBER', KEYS[2], ARGV[i]), ask('HGETALL', ARGV[1] .. 'position:' .. ARGV[i]) }
end
return found
