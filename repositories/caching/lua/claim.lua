-- Read an entry, and take the lease of its load when the caller is to load it.
-- Uses caching/load_state
-- KEYS entry
--      load_state
-- ARGV token   of the lease
--      lease   in milliseconds
--      stale   milliseconds for which an entry is served after it has become stale
--      early   milliseconds of freshness left at which the caller would load it early
--      scope   'NEEDED', 'MISSING', 'UNREADABLE' or 'ALL': see LoadScope in calls.py
-- Returns {'hit', milliseconds of freshness left, field, value, ...}
--         {'lease', milliseconds of freshness left, field, value, ...}: the caller is to load it
--         {'wait', milliseconds of the lease left}: another caller is loading it
--         {'absent', milliseconds left}: the source has no such key
--         {'failed', milliseconds left, reason}: the last load failed, and it is not to be tried again yet

read_state(KEYS.entry, KEYS.load_state)
local function reply_with(status)
  local left = redis.call('PTTL', KEYS.entry)
  local fresh = left == -1 and 1e15 or left - tonumber(ARGV.stale)
  return { status, string.format('%.0f', fresh), unpack(redis.call('HGETALL', KEYS.entry)) }, fresh
end

local hit, fresh = reply_with('hit')
if is_cached and ARGV.scope == 'MISSING' then return hit end
if ARGV.scope == 'UNREADABLE' then is_cached = false end
if ARGV.scope == 'NEEDED' or ARGV.scope == 'UNREADABLE' then
  if is_cached and fresh > tonumber(ARGV.early) then return hit end
  local is_leased = state.lease and state.lease ~= ARGV.token
  if is_cached and (is_leased or state.failed) then return hit end
  if is_leased then return { 'wait', remaining('lease') } end
  if state.failed then return { 'failed', remaining('failed'), state.failed } end
  if state.absent and not is_cached then return { 'absent', remaining('absent') } end
end
remember('lease', ARGV.token, ARGV.lease)
state.kept_until = first_write_ends()
save_state(KEYS.load_state)
return (reply_with('lease'))
