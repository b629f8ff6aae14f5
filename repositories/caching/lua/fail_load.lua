-- Return the lease of a load that has failed, and remember why, for as long as the load is not to be tried again.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- ARGV token         of the lease
--      retry_after   in milliseconds
--      reason        in one line; '' remembers nothing
-- Returns 1 when the caller had the lease, 0 when not

read_state(KEYS.entry, KEYS.load_state)
if state.lease ~= ARGV.token then return 0 end
forget('lease')
if ARGV.reason ~= '' then remember('failed', ARGV.reason, ARGV.retry_after) end
save_state(KEYS.load_state)
return 1
