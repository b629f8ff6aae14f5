-- Move an event that nobody can handle to the dead letters and acknowledge it, unless that has been done.
-- KEYS  1 events  2 dead letters
-- ARGV  1 group  2 id  3 how many dead letters are kept  4 why
-- Returns 1, or 0 for one that was not pending, or is no longer kept

local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
if pending.err or not pending[1] then return 0 end
local _, consumer, _, deliveries = unpack(pending[1])
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if entry then
  redis.call('XLEN', KEYS[2])
  redis.call(
    'XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'sequence', string.match(ARGV[2], '^%d+'), 'group', ARGV[1],
    'consumer', consumer, 'deliveries', deliveries, 'error', ARGV[4], unpack(entry[2])
  )
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return entry and 1 or 0
