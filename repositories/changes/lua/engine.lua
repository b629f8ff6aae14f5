-- Carry out steps on one trader's book: load what they touch, decide each on what is loaded, write once.
-- Uses changes/header, changes/publish, changes/run, changes/write_book, changes/aliases, changes/place, changes/fill, changes/replace, changes/revise, changes/close,
--      changes/report, changes/change_position, changes/expect, changes/delete, changes/record, changes/migrate,
--      changes/change_limits, changes/change_trading
-- KEYS book            the header
--      events
--      positions       the symbols of the trader's positions
--      lock            of changes under a lock, else the header again
--      step_keys...    every key of the steps whose absence decides something
-- Touches the order that another id names, with what is remembered of it, and an order's other ids; the position of an order's
--         symbol and that of its account in it; the indexes of its symbol, statuses and own fields; the indexes of an own
--         record, and the unique values that it has had; the limits, where the header says that there are some
-- ARGV trader
--      mode            'each': a refused step changes nothing; 'all': the first refusal refuses everything
--      writer          the writer's mark
--      count           the writer's count of this call, which its events carry
--      acknowledged    number, mark and count of the events that prove what was acknowledged to the writer
--      earlier         the counts of earlier sends of this call, each after a blank; '' for none
--      kept            about how many events are kept
--      channels        where events are published, each name after a blank
--      closed_ttl      milliseconds that a terminal order is kept
--      request_ttl     milliseconds that a change of a position or of an own record is remembered
--      record_refusals '1' when a refusal for a limit is an event, else ''
--      fence           of the lock, '' without one
--      expected        the number of the last event that a unit expects, '' for any
--      steps...        each a verb, and the arguments that its function unpacks
-- Returns {lost, tip, answer…}: what was found lost, '' for nothing; number, mark and count of the last event; and an answer
--         for each step, see its function, or {'error', text} for one that touched a key of another type
--         {lost, tip, 'refused', step, answer…}: the step, counted from 0, and its refusal; -1 for the sequence
--         {'', '', 'unusable', answer}: the header cannot be read
--         {'unfinished', error}: writing stopped in between

local VERBS, ARGUMENTS = CONSTANTS.VERBS, CONSTANTS.ARGUMENTS
local WRITE_BOOK, WRITE_INDEX, WRITE_OWN = CONSTANTS.WRITE_BOOK, CONSTANTS.WRITE_INDEX, CONSTANTS.WRITE_OWN

local last, writer, count, latest_ns, is_new, switch, marker = read_header(KEYS.book, KEYS.events)
if not last then return { '', '', 'unusable', writer } end
had_trading, had_limits = switch ~= CONSTANTS.ACTIVE and switch or nil, marker or nil
local tip = writer ~= '' and integer_text(last) .. ' ' .. writer .. ' ' .. count or ''
has_run = writer == ARGV.writer and count == ARGV.count or nil
is_barred = has_run or ARGV.fence ~= '' or ARGV.earlier ~= ''
local lost = ARGV.acknowledged ~= tip and ARGV.acknowledged ~= ''
  and RARE.find_loss(KEYS.events, last, tip, ARGV.acknowledged, ARGV.writer) or ''

-- Return the answers of all steps, or 'refused', the step and its answer; of records of an older schema, all such steps.
local function decide()
  begin(last)
  local answers, at, guard, older, changes = {}, FIRST.steps, nil, nil, false
  while ARGV[at] do
    local verb = ARGV[at]
    problem, asked = nil, nil
    local went_well, answer = pcall(VERBS[verb], at + 1)
    if not went_well then
      local text = type(answer) == 'table' and answer.err or tostring(answer)
      if not string.find(text, 'WRONGTYPE', 1, true) then error({ err = text }, 0) end -- a text would lose its code
      answer = { 'error', text }
    end
    local kind = answer[1]
    changes = changes or kind == 'applied' or kind == 'deleted'
    if ARGV.mode == 'all' and kind ~= 'applied' and kind ~= 'repeat' and kind ~= 'outdated' and kind ~= 'expected' then
      local refusal = { 'refused', #answers, answer }
      if kind == 'older' then
        older = older or { 'refused' }
        older[#older + 1], older[#older + 2] = #answers, answer
      elseif verb ~= 'expect' then
        return older or refusal
      else
        guard = guard or refusal
      end
    end
    answers[#answers + 1] = answer
    at = at + 1 + ARGUMENTS[verb]
  end
  if older then return older end
  if not changes then return answers end -- a repeat of the whole is answered whatever has happened since
  if guard then return guard end
  if ARGV.expected ~= '' and ARGV.expected + 0 ~= last then
    return { 'refused', -1, { 'sequence', integer_text(last) } }
  end
  return answers
end

-- Append the event of a number that the run has planned.
local function add_event(number)
  return redis.pcall('XADD', KEYS.events, 'MAXLEN', '~', ARGV.kept, integer_text(last + number) .. '-0',
    unpack(events[number]))
end

-- Remember requests that changed nothing, as far as the server takes them; return the first that it refused, nil for none.
local function remember_requests()
  for key, text in pairs(requests) do
    local reply = redis.pcall('SET', key, text, 'PX', ARGV.request_ttl)
    if reply.err then return reply end
  end
end

-- Write all that the run has planned but what is written before: its first event, the removal of a deleted order, or what a
-- record that is brought to a schema is found by. Nothing here may fail: every key has been read by a command of its type, and memory is checked before the first write only.
local function write()
  for number = 2, #events do
    local added = add_event(number)
    if type(added) == 'table' and added.err then error(added, 0) end
  end
  if WRITE_BOOK then WRITE_BOOK() end
  if requests then
    for key, text in pairs(requests) do redis.call('SET', key, text, 'PX', ARGV.request_ttl) end
  end
  if own then WRITE_OWN() end
  for _, index in pairs(indexes) do
    if index.write then
      index.write(index)
    elseif index.entered or index.left then
      WRITE_INDEX(index)
    end
  end
  if #events > 0 then
    if is_new then redis.call('HSET', KEYS.book, 'format', FORMAT) end
    for i = 1, #events do latest_ns = later_of(latest_ns, events[i][8]) end
    local sequence = integer_text(last + #events)
    if has_limits ~= had_limits then
      redis.call('HSET', KEYS.book, 'sequence', sequence, 'writer', ARGV.writer, 'count', ARGV.count, 'latest_ns', latest_ns,
        'limits', has_limits)
    else
      redis.call('HSET', KEYS.book, 'sequence', sequence, 'writer', ARGV.writer, 'count', ARGV.count, 'latest_ns', latest_ns)
    end
  end
end

local answers = decide()
local added = #events > 0 and answers[1] ~= 'refused' and add_event(1)
local is_behind = type(added) == 'table' and string.find(added.err or '', 'equal or smaller', 1, true)
if is_behind or answers[2] == -1 then
  -- The stream is ahead of the header when a user was denied the rest of a change, or an event was added by hand.
  latest_ns = RARE.latest_after(KEYS.events, last, latest_ns)
  last = math.max(last, RARE.last_generated(KEYS.events))
  answers = decide()
  added = #events > 0 and answers[1] ~= 'refused' and add_event(1)
end
if deleted and answers[1] ~= 'refused' then added = redis.pcall('UNLINK', unpack(deleted, 1, math.min(#deleted, MOST_AT_ONCE))) end
if own and own.first and answers[1] ~= 'refused' then added = redis.pcall('HSET', unpack(own.first)) end
if not added and requests and answers[1] ~= 'refused' then added = remember_requests() end
if type(added) == 'table' and added.err then return added end
if added then
  local went_well, failed = pcall(write)
  if not went_well then return { 'unfinished', type(failed) == 'table' and failed.err or tostring(failed) } end
  publish(KEYS.events, ARGV.trader, last, events, documents, ARGV.channels)
end
if added and #events > 0 then tip = integer_text(last + #events) .. ' ' .. ARGV.writer .. ' ' .. ARGV.count end
return { lost, tip, unpack(answers) }
