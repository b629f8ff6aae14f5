-- What is cached, and who is to load it.
-- Uses caching/load_state
-- KEYS  1 entry  2 notes about it
-- ARGV  1 token  2 milliseconds of the lease  3 milliseconds that an entry is served after it has become stale
--       4 milliseconds of freshness at which the caller would load it early
--       5 'LOAD' what is missing or stale, 'MISSING' what is missing whoever else may load it, or 'ALL'
-- Returns {'hit', milliseconds of freshness left, field…}   {'lease', milliseconds, field…}: the caller is to load it
--         {'wait', milliseconds}  {'absent', milliseconds}  {'failed', milliseconds, why}

recall(KEYS[1], KEYS[2])
local function found(state)
  local left = redis.call('PTTL', KEYS[1])
  local fresh = left == -1 and 1e15 or left - tonumber(ARGV[3])
  return { state, string.format('%.0f', fresh), unpack(redis.call('HGETALL', KEYS[1])) }, fresh
end

local hit, fresh = found('hit')
if held and ARGV[5] == 'MISSING' then return hit end
if ARGV[5] == 'LOAD' then
  if held and fresh > tonumber(ARGV[4]) then return hit end
  local leased = notes.lease and notes.lease ~= ARGV[1]
  if held and (leased or notes.failed) then return hit end
  if leased then return { 'wait', remains('lease') } end
  if notes.failed then return { 'failed', remains('failed'), notes.failed } end
  if notes.absent and not held then return { 'absent', remains('absent') } end
end
note('lease', ARGV[1], ARGV[2])
notes.kept_until = first_write_ends()
save(KEYS[2])
return (found('lease'))
