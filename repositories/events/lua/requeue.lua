-- Put dead letters back into their group, as events that were never handed over, for any consumer to be given.
-- Uses events/group
-- KEYS events
--      dead_letters
-- ARGV letters...     entries of the stream of dead letters
-- Returns {1 for a letter that is back in its group, 0 for one that stays: its event or its group is no longer there…}

redis.call('EXISTS', KEYS.events)
local reply = {}
for i = FIRST.letters, #ARGV do
  local letter = redis.call('XRANGE', KEYS.dead_letters, ARGV[i], ARGV[i])[1]
  local fields = {}
  for j = 1, letter and #letter[2] or 0, 2 do fields[letter[2][j]] = letter[2][j + 1] end
  local id = (fields.sequence or '0') .. '-0'
  local entry = redis.call('XRANGE', KEYS.events, id, id)[1]
  local same = entry ~= nil
  for j = 1, entry and #entry[2] or 0, 2 do
    -- A failover may have lost the event, and its number may have been used again.
    if fields[entry[2][j]] ~= entry[2][j + 1] then same = false end
  end
  if same and not pending_event(KEYS.events, fields.group, id) then
    same = unless_no_group(
      redis.pcall('XCLAIM', KEYS.events, fields.group, GIVEN_BACK, 0, id, 'RETRYCOUNT', 0, 'FORCE', 'JUSTID')
    ) ~= nil
  end
  if same then redis.call('XDEL', KEYS.dead_letters, ARGV[i]) end
  reply[#reply + 1] = (same or not letter) and 1 or 0
end
return reply
