-- Remove the consumers of a group that have not asked for anything for a while, and have nothing to acknowledge.
-- Uses events/group
-- KEYS events
-- ARGV group
--      idle           milliseconds since a consumer last asked for something
-- Returns how many consumers were removed

if redis.call('EXISTS', KEYS.events) == 0 then return 0 end
local consumers = unless_no_group(redis.pcall('XINFO', 'CONSUMERS', KEYS.events, ARGV.group))
local count = 0
for _, fields in ipairs(consumers or {}) do
  local of = {}
  for i = 1, #fields, 2 do of[fields[i]] = fields[i + 1] end
  if of.name ~= GIVEN_BACK and of.pending == 0 and of.idle >= tonumber(ARGV.idle) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS.events, ARGV.group, of.name)
    count = count + 1
  end
end
return count
