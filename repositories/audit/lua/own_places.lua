-- Read which records some indexes and unique values name: of those that are small, and of as many as are not too much.
-- Uses audit/read_keys
-- KEYS events
-- Touches the indexes and unique values
-- ARGV base         what the trader's keys begin with
--      enough       how many entries are enough, after which no more are read
--      most         how many entries an index may have that is read here
--      places...    the indexes and unique values
-- Returns {{key of a record, …} or the number of entries of an index that has more…}, for at least one

redis.call('EXISTS', KEYS.events)
local found, read = {}, 0
for at = FIRST.places, #ARGV do
  local place, i = ARGV.base .. ARGV[at], #found + 1
  if read >= tonumber(ARGV.enough) then break end
  if redis.call('TYPE', place).ok == 'string' then
    found[i] = { redis.call('GET', place) }
  else
    local size = read_key('ZCARD', place)
    found[i] = size > tonumber(ARGV.most) and size or read_key('ZRANGE', place, 0, -1)
  end
  read = read + (type(found[i]) == 'table' and #found[i] or 0) + 1
end
return found
