-- Mark that all of a trader's records of a kind are of a schema, given that all were that there were when an event was the last:
-- what has changed since is looked at again.
-- Uses records/migrating
-- KEYS book
--      events
--      all        the index of all records
--      run        the number of the run's last step
-- Touches the records that the events name, and the set beside the index
-- ARGV kind
--      schema     that of the model
--      declared   what its records are found by
--      base       what the keys of these records begin with
--      number     that of the step
--      since      the number of the event
--      limit      how many events are looked at
--      after_all  what to do when nothing is of an older schema: 'mark', or 'end' without a mark
--      written... the keys of the records that were written after the step before
-- Returns {'marked'}, {'newer', schema}, {'declared', text}, {'lost'}, {'trimmed', number of the first event that is kept},
--         or {'looked', the number of the last event that was looked at, key, record, …} for what is to be upgraded first

-- Return the events after a number, and whether none is missing among them.
local function events_since(events, since)
  local found = redis.call('XRANGE', events, '(' .. since .. '-0', '+', 'COUNT', ARGV.limit)
  local is_whole = #redis.call('XREVRANGE', events, since .. '-0', '-', 'COUNT', 1) > 0
  return found, is_whole or (since == '0' and found[1] and found[1][1] == '1-0')
end

-- Return the key that an event of the kind names, nil for any other event.
local function key_of(event)
  local kind, key
  for i = 1, #event[2], 2 do
    if event[2][i] == 'kind' then kind = event[2][i + 1] end
    if event[2][i] == 'key' then key = event[2][i + 1] end
  end
  return kind == ARGV.kind and key or nil
end

local ended = end_of_run(KEYS.book, KEYS.run, ARGV.kind, ARGV.schema, ARGV.number)
  or loss_of_written(KEYS.all, ARGV.base, ARGV.schema, { unpack(ARGV, FIRST.written) })
if ended then return ended end
local last = redis.call('HGET', KEYS.book, 'sequence') or '0'
local looked = { 'looked', ARGV.since }
if last ~= ARGV.since then
  local events, is_whole = events_since(KEYS.events, ARGV.since)
  if not is_whole then return { 'trimmed', string.match(events[1] and events[1][1] or last, '^%d+') } end
  local seen = {}
  for _, event in ipairs(events) do
    local key = key_of(event)
    looked[2] = string.match(event[1], '^%d+')
    local refused = key and not seen[key] and add_older(looked, KEYS.all, ARGV.base, key, ARGV.schema)
    if refused then return refused end
    if key then seen[key] = true end
  end
end
if ARGV.after_all == 'end' and #looked == 2 then
  redis.call('UNLINK', KEYS.run)
  return looked
end
note_step(KEYS.run, ARGV.number)
local declared = redis.call('HGET', KEYS.book, 'fields:' .. ARGV.kind .. ':' .. ARGV.schema)
if declared and declared ~= ARGV.declared then return { 'declared', declared } end
if ARGV.after_all ~= 'mark' or #looked > 2 or tonumber(looked[2]) < tonumber(last) then return looked end
redis.call('HSET', KEYS.book, 'schema:' .. ARGV.kind, ARGV.schema, 'fields:' .. ARGV.kind .. ':' .. ARGV.schema,
  ARGV.declared)
redis.call('UNLINK', KEYS.run)
return { 'marked' }
