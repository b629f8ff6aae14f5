-- Store what has been written to the source. When another write or an invalidation has overlapped, remove the entry
-- instead, because it is unknown which value the source has.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- ARGV token       of the write
--      lifetime    of the entry in milliseconds
--      fields...   names and values
-- Returns 1 when it was stored, 0 when not

read_state(KEYS.entry, KEYS.load_state)
local write = 'writing:' .. ARGV.token
local is_only_change = state[write] and not state.contested
state[write] = nil
forget('lease', 'failed', 'absent')
if not first_write_ends() then state.contested = nil end
if is_only_change then
  store_entry(KEYS.entry, ARGV.lifetime, nil, ARGV, FIRST.fields)
else
  redis.call('UNLINK', KEYS.entry)
end
save_state(KEYS.load_state)
return is_only_change and 1 or 0
