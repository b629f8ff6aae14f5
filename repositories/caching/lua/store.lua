-- Store what was loaded. When the lease is gone, store nothing: something newer has happened meanwhile, or the load
-- took too long.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- ARGV token       of the lease
--      lifetime    in milliseconds, of the entry or of the knowledge that the source has no such key
--      fields...   names and values; none when the source has no such key
-- Returns 1 when it was stored, 0 when not

read_state(KEYS.entry, KEYS.load_state)
if state.lease ~= ARGV.token then return 0 end
local latest = state.kept_until
forget('lease', 'failed', 'absent')
local in_time, has_value = not latest or now < latest, #ARGV >= FIRST.fields
if in_time and has_value then store_entry(KEYS.entry, ARGV.lifetime, latest, ARGV, FIRST.fields) end
if in_time and not has_value then
  remember('absent', '1', math.min(tonumber(ARGV.lifetime), latest and latest - now or math.huge))
end
save_state(KEYS.load_state)
if in_time and not has_value then redis.call('UNLINK', KEYS.entry) end
return in_time and 1 or 0
