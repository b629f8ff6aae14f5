-- Shared by the scripts of a cache: an entry, and beside it, in the same slot, notes about it, a hash that expires with
-- the last of them:
--   lease, lease_until        who may keep what it loads; taken away by whatever is newer than the load
--   writer, writer_until      the database is being written; until then nothing is kept for longer than that
--   writing:<token>           by whom
--   contested                 writes have overlapped, so nobody can tell which one the database has
--   absent, absent_until      the database has no such key
--   failed, failed_until      why the last load failed

local now, held, notes

-- Read both before either is written: a wrong type, or a slot on the move, stops a script that has changed nothing.
local function recall(entry, about)
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  held = redis.call('HLEN', entry) > 0
  notes = {}
  local flat = redis.call('HGETALL', about)
  for i = 1, #flat, 2 do notes[flat[i]] = flat[i + 1] end
end

local function stands(what)
  return tonumber(notes[what .. '_until'] or 0) > now
end

-- For how many milliseconds more a note stands, as text.
local function remains(what)
  return string.format('%.0f', tonumber(notes[what .. '_until']) - now)
end

local function note(what, value, milliseconds)
  notes[what] = value
  notes[what .. '_until'] = string.format('%.0f', now + tonumber(milliseconds))
end

local function drop(...)
  for _, what in ipairs({ ... }) do
    notes[what] = nil
    notes[what .. '_until'] = nil
  end
end

-- Whether anyone has announced a write and not finished it.
local function is_written()
  for field in pairs(notes) do
    if string.sub(field, 1, 8) == 'writing:' then return true end
  end
  return false
end

local function end_writes()
  for field in pairs(notes) do
    if string.sub(field, 1, 8) == 'writing:' then notes[field] = nil end
  end
  notes.contested = nil
  drop('writer')
end

local function save(about)
  local last, flat = 0, {}
  for _, what in ipairs({ 'lease', 'writer', 'absent', 'failed' }) do
    if stands(what) then last = math.max(last, tonumber(notes[what .. '_until'])) else drop(what) end
  end
  if not notes.writer then end_writes() end
  for field, value in pairs(notes) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  redis.call('DEL', about)
  if #flat > 0 then
    redis.call('HSET', about, unpack(flat))
    redis.call('PEXPIREAT', about, string.format('%.0f', last))
  end
end

-- How long something may be kept, in milliseconds: not longer than a write that is under way.
local function at_most(milliseconds)
  local allowed = tonumber(milliseconds)
  if stands('writer') then allowed = math.min(allowed, tonumber(notes.writer_until) - now) end
  return string.format('%.0f', math.max(1, allowed))
end

-- Keep the fields from words[first] on, and no others.
local function keep(entry, milliseconds, words, first)
  redis.call('DEL', entry)
  redis.call('HSET', entry, unpack(words, first))
  redis.call('PEXPIRE', entry, at_most(milliseconds))
end
