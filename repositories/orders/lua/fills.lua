-- Read fills of an order, in the order of their events.
-- KEYS applied    what is remembered of the order's changes, but for the first
--      events
--      order      whose multiplier the fills have, and with it what is remembered of the first change
-- ARGV after    the number of the event after which to begin, -1 for the first
--      limit    how many fills at most
-- Returns {multiplier or '', fill…}; each {field, what is remembered of it, its event…, what counts of it now, what is remembered of the report that
--         says so, the details of what counts, '1' when it is remembered in the order}: an empty list for an event that is no longer kept; what counts now and the report
--         are empty for one that was neither busted nor corrected, and details for one that has none

local flat, numbers, fills, values = redis.call('HGETALL', KEYS.applied), {}, {}, {}
local order, multiplier, first = redis.call('HGETALL', KEYS.order), '', {}
for i = 1, #order, 2 do
  if order[i] == 'multiplier' then multiplier = order[i + 1] end
  if string.find(order[i], '^fill:') then flat[#flat + 1], flat[#flat + 2], first[order[i]] = order[i], order[i + 1], '1' end
end
for i = 1, #flat, 2 do
  values[flat[i]] = flat[i + 1]
  local number = string.find(flat[i], '^fill:') and tonumber(string.match(flat[i + 1], '^%d+') or 0)
  local report = number and string.find(flat[i + 1], '^%d+ %S+ %S+ [bc]')
  if number and not report and number > ARGV.after + 0 then fills[#fills + 1], numbers[flat[i]] = { flat[i], flat[i + 1] }, number end
end
table.sort(fills, function(a, b)
  if numbers[a[1]] ~= numbers[b[1]] then return numbers[a[1]] < numbers[b[1]] end
  return a[1] < b[1]
end)
local page = { multiplier }
for i = 1, math.min(#fills, ARGV.limit + 0) do
  local id = string.format('%.0f', numbers[fills[i][1]]) .. '-0'
  local event = redis.call('XRANGE', KEYS.events, id, id)[1]
  fills[i][3] = event and event[2] or {}
  local exec_id = string.sub(fills[i][1], 6)
  local now = values['now:' .. exec_id] or ''
  local report = string.match(now, '^%d+ [%d.]+ [-%d.]+ (.+)$') or string.match(now, '^%d+ busted (.+)$')
  fills[i][4], fills[i][5] = now, report and values['fill:' .. report] or ''
  fills[i][6], fills[i][7] = values['details:' .. (report or exec_id)] or '', first[fills[i][1]] or ''
  page[i + 1] = fills[i]
end
return page
