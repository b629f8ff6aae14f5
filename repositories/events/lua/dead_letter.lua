-- Add an event that cannot be handled to the dead letters, and acknowledge it, unless that has been done already or
-- another consumer has it.
-- Uses events/group
-- KEYS events
--      dead_letters
-- ARGV group
--      consumer
--      id             the event's entry in the stream
--      max_letters    about how many dead letters are kept
--      error          why the event cannot be handled
-- Returns 1, or 0 for an event that the consumer did not have, or that is no longer kept

local pending = pending_event(KEYS.events, ARGV.group, ARGV.id, ARGV.consumer)
if not pending then return 0 end
local entry = redis.call('XRANGE', KEYS.events, ARGV.id, ARGV.id)[1]
if entry then
  redis.call('XLEN', KEYS.dead_letters)
  redis.call(
    'XADD', KEYS.dead_letters, 'MAXLEN', '~', ARGV.max_letters, '*', 'sequence', string.match(ARGV.id, '^%d+'),
    'group', ARGV.group, 'consumer', ARGV.consumer, 'deliveries', pending[4], 'error', ARGV.error, unpack(entry[2])
  )
end
redis.call('XACK', KEYS.events, ARGV.group, ARGV.id)
return entry and 1 or 0
