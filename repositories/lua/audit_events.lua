-- Some of a book's events, and where its stream begins and ends at that moment.
-- KEYS  1 events
-- ARGV  1 the id after which to begin  2 how many
-- Returns {first id kept, last id ever given, entry…}; '0-0' for both when there is no stream

local entries = ask('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local first = ask('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local about = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then last = about[i + 1] end
  end
end
return { first and first[1] or '0-0', last, unpack(entries) }
