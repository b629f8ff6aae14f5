-- Count that an event is handed over to a handler now, if the consumer still has it; this restarts its idle time.
-- Uses events/group
-- KEYS events
-- ARGV group
--      consumer
--      id             the event's entry in the stream
--      hand_overs     how often it has been handed over then, this time included
-- Returns 1, or 0 for an event that the consumer no longer has

local pending = pending_event(KEYS.events, ARGV.group, ARGV.id, ARGV.consumer)
if not pending then return 0 end
if is_kept(KEYS.events, ARGV.id) then
  give(KEYS.events, ARGV.group, ARGV.consumer, ARGV.id, math.max(pending[4], tonumber(ARGV.hand_overs)))
end
return 1
