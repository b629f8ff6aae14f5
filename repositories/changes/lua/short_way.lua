-- Of the engine: what the short ways have in common. Each is a script that makes the usual change of one verb in few steps, and leaves all
-- else, with nothing written, to the engine behind it: it never refuses, repeats or guesses.
-- Uses changes/header, changes/publish, changes/numbers

-- Return whether the stream has the events that were acknowledged to the writer, and behind which others have been written; one that is
-- no longer kept proves nothing.
local function is_proved(last)
  for number, mark, count in string.gmatch(ARGV.acknowledged, '(%d+) (%x*) (%d*)') do
    if number + 0 > last then return false end
    local event = redis.call('XRANGE', KEYS.events, number .. '-0', number .. '-0')[1]
    if event and (event[2][2] ~= mark or event[2][4] ~= count) then return false end
  end
  return true
end

-- Return the number of the last event, given the fields of the header that say of it; nil when the engine has to look further: at a
-- new or odd header, a call that has run before, or what may be lost.
local function plain_last(format, sequence, writer, count, latest_ns)
  if format ~= FORMAT or not (sequence and writer and count and latest_ns) or #sequence > 15 or string.find(sequence, '%D')
    or sequence == '' or writer == ARGV.writer and count == ARGV.count then
    return nil
  end
  if ARGV.acknowledged ~= '' and ARGV.acknowledged ~= sequence .. ' ' .. writer .. ' ' .. count and not RARE.is_proved(sequence + 0) then
    return nil
  end
  return sequence + 0
end

-- Append the event of a change that has been decided, with its fields and values and their JSON as `publish` takes it, write the change,
-- and publish. Return the reply with an answer, or nil when the event could not be added: then nothing is written.
-- last, latest_ns   of the header, as they were
-- write             writes all but the event and the header, given what comes behind it; nothing in it may fail but for a permission
-- limits            what the header says of limits from now on; nil where that stays
local function carry_out(last, latest_ns, event, document, answer, limits, write, ...)
  local number, writer, count = integer_text(last + 1), ARGV.writer, ARGV.count
  local added = redis.pcall('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, number, unpack(event))
  if type(added) == 'table' then return nil end
  local went_well, failed = pcall(write, ...)
  if went_well then
    latest_ns = later_of(latest_ns, event[8])
    failed = limits
      and redis.pcall('HSET', KEYS.book, 'sequence', number, 'writer', writer, 'count', count, 'latest_ns', latest_ns, 'limits', limits)
      or redis.pcall('HSET', KEYS.book, 'sequence', number, 'writer', writer, 'count', count, 'latest_ns', latest_ns)
    went_well = type(failed) ~= 'table'
  end
  if not went_well then return { 'unfinished', type(failed) == 'table' and failed.err or tostring(failed) } end
  local policy = ARGV.channels
  if policy ~= '' then
    publish_one(KEYS.events, ARGV.trader, number, event, document, policy)
  end
  return { '', number .. ' ' .. writer .. ' ' .. count, answer }
end

-- Write all of a call but its first event: the others, what `write` writes, and the header.
local function write_all(last, latest_ns, events, limits, write, ...)
  local size = #events
  for i = 2, size do
    redis.call('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, integer_text(last + i) .. '-0', unpack(events[i]))
  end
  write(...)
  for i = 1, size do latest_ns = later_of(latest_ns, events[i][8]) end
  local number, writer, count = integer_text(last + size), ARGV.writer, ARGV.count
  if limits then
    redis.call('HSET', KEYS.book, 'sequence', number, 'writer', writer, 'count', count, 'latest_ns', latest_ns, 'limits', limits)
  else
    redis.call('HSET', KEYS.book, 'sequence', number, 'writer', writer, 'count', count, 'latest_ns', latest_ns)
  end
end

-- Do the same as `carry_out` for the events of one change after the other, each with its JSON and an answer.
local function carry_out_all(last, latest_ns, events, documents, answers, limits, write, ...)
  local added = redis.pcall('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, integer_text(last + 1) .. '-0', unpack(events[1]))
  if type(added) == 'table' then return nil end
  local went_well, failed = pcall(write_all, last, latest_ns, events, limits, write, ...)
  if not went_well then return { 'unfinished', type(failed) == 'table' and failed.err or tostring(failed) } end
  publish(KEYS.events, ARGV.trader, last, events, documents, ARGV.channels)
  return { '', integer_text(last + #events) .. ' ' .. ARGV.writer .. ' ' .. ARGV.count, unpack(answers) }
end
