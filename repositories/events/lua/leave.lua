-- Give back events that a consumer has not handed over, as often handed over as they were before, and take the consumer
-- out of its group unless it has others that it has not acknowledged.
-- Uses events/group
-- KEYS events
-- ARGV group
--      consumer
--      unhandled...   id and hand-overs of each event that goes back
-- Returns how many events went back

local count = 0
for i = FIRST.unhandled, #ARGV, 2 do
  if pending_event(KEYS.events, ARGV.group, ARGV[i], ARGV.consumer) then
    if is_kept(KEYS.events, ARGV[i]) then give(KEYS.events, ARGV.group, GIVEN_BACK, ARGV[i], ARGV[i + 1]) end
    count = count + 1
  end
end
local rest = unless_no_group(redis.pcall('XPENDING', KEYS.events, ARGV.group, '-', '+', 1, ARGV.consumer))
if rest and #rest == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS.events, ARGV.group, ARGV.consumer) end
return count
