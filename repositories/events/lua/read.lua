-- Give a consumer of a group events that nobody has been given yet, or its own that it has not acknowledged.
-- KEYS  1 events
-- ARGV  1 group  2 consumer  3 how many  4 the number after which a new group begins
--       5 '>' for those that nobody has been given, else the id after which its own begin
-- Returns {last number that the group had been given, {id, fields, deliveries}…}  {} as long as there are no events

if redis.call('EXISTS', KEYS[1]) == 0 then return {} end

local before
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local name, last
  for i = 1, #group, 2 do
    if group[i] == 'name' then name = group[i + 1] end
    if group[i] == 'last-delivered-id' then last = group[i + 1] end
  end
  if name == ARGV[1] then before = string.match(last, '^%d+') end
end
if not before then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], ARGV[4] .. '-0')
  before = ARGV[4]
end

local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], ARGV[5])
local given = { before }
for _, entry in ipairs(read and read[1][2] or {}) do
  local deliveries = 1
  if ARGV[5] ~= '>' then deliveries = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1][4] end
  given[#given + 1] = { entry[1], entry[2], deliveries }
end
return given
