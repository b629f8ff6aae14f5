-- Let a key expire when it should, if it expires as it was compared.
-- KEYS key
-- ARGV stored      when it expires, in milliseconds since the epoch, or 'inf' for never, as compared
--      expected    when it should
-- Returns 'applied'  'repeat': it is so already  'changed': it is not there, or expires as nobody compared

local expiry = redis.call('PEXPIRETIME', KEYS.key)
if expiry == -2 then return 'changed' end
local found = expiry == -1 and 'inf' or string.format('%.0f', expiry)
if found == ARGV.expected then return 'repeat' end
if found ~= ARGV.stored then return 'changed' end
if ARGV.expected == 'inf' then
  redis.call('PERSIST', KEYS.key)
else
  redis.call('PEXPIREAT', KEYS.key, ARGV.expected)
end
return 'applied'
