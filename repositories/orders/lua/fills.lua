-- Read fills of an order, in the order of their events.
-- KEYS applied    what is remembered of the order's changes
--      events
-- ARGV after    the number of the event after which to begin, -1 for the first
--      limit    how many fills at most
-- Returns {fill…}; each {field, what is remembered of it, {field, value, …}}: its event, an empty list when that is no longer kept

local flat, numbers, fills = redis.call('HGETALL', KEYS.applied), {}, {}
for i = 1, #flat, 2 do
  local number = string.find(flat[i], '^fill:') and tonumber(string.match(flat[i + 1], '^%d+') or 0)
  if number and number > ARGV.after + 0 then fills[#fills + 1], numbers[flat[i]] = { flat[i], flat[i + 1] }, number end
end
table.sort(fills, function(a, b)
  if numbers[a[1]] ~= numbers[b[1]] then return numbers[a[1]] < numbers[b[1]] end
  return a[1] < b[1]
end)
local page = {}
for i = 1, math.min(#fills, ARGV.limit + 0) do
  local id = string.format('%.0f', numbers[fills[i][1]]) .. '-0'
  local event = redis.call('XRANGE', KEYS.events, id, id)[1]
  fills[i][3] = event and event[2] or {}
  page[i] = fills[i]
end
return page
