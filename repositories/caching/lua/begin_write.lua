-- Announce a write to the source. Nothing older may outlive it by more than its window: neither what is cached, nor
-- what a load under way brings, which may have read the source before the write.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- ARGV token       of the write
--      window      in milliseconds, after which the write is given up on
-- Returns 1

read_state(KEYS.entry, KEYS.load_state)
local write = 'writing:' .. ARGV.token
if not state[write] then
  if first_write_ends() then state.contested = '1' end
  state[write] = now + tonumber(ARGV.window)
end
if state.lease then state.kept_until = math.min(state.kept_until or math.huge, state[write]) end
if state.absent then state.absent_until = math.min(state.absent_until, state[write]) end
save_state(KEYS.load_state)
local left, window = redis.call('PTTL', KEYS.entry), state[write] - now
if left == -1 or left > window then redis.call('PEXPIRE', KEYS.entry, string.format('%.0f', window)) end
return 1
