-- Add an event that cannot be handled to the dead letters, and acknowledge it, unless that has been done already.
-- KEYS events
--      dead_letters
-- ARGV group
--      id             the event's entry in the stream
--      max_letters    about how many dead letters are kept
--      error          why the event cannot be handled
-- Returns 1, or 0 for an event that was not pending, or is no longer kept

local pending = redis.pcall('XPENDING', KEYS.events, ARGV.group, ARGV.id, ARGV.id, 1)
if pending.err or not pending[1] then return 0 end
local _, consumer, _, deliveries = unpack(pending[1])
local entry = redis.call('XRANGE', KEYS.events, ARGV.id, ARGV.id)[1]
if entry then
  redis.call('XLEN', KEYS.dead_letters)
  redis.call(
    'XADD', KEYS.dead_letters, 'MAXLEN', '~', ARGV.max_letters, '*', 'sequence', string.match(ARGV.id, '^%d+'),
    'group', ARGV.group, 'consumer', consumer, 'deliveries', deliveries, 'error', ARGV.error, unpack(entry[2])
  )
end
redis.call('XACK', KEYS.events, ARGV.group, ARGV.id)
return entry and 1 or 0
