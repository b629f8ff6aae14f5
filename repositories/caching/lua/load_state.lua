-- Shared by the scripts of a cache: an entry, and beside it, in the same slot, notes about it, a hash that expires with
-- the last of them:
--   lease, lease_until        who may keep what it loads; taken away by whatever is newer than the load
--   kept_until                until when that may be kept: the database is being written while it is loaded
--   writing:<token>           until when the database is being written by so and so
--   contested                 writes have overlapped, so nobody can tell which one the database has
--   absent, absent_until      the database has no such key
--   failed, failed_until      why the last load failed
--   noted_at                  when they were written last

local now, held, stored, notes

local function is_write(field)
  return string.sub(field, 1, 8) == 'writing:'
end

-- Whether a note says until when another stands.
local function is_moment(field)
  return is_write(field) or string.sub(field, -6) == '_until'
end

local function drop(...)
  for _, what in ipairs({ ... }) do
    notes[what] = nil
    notes[what .. '_until'] = nil
    if what == 'lease' then notes.kept_until = nil end
  end
end

-- When the first of the writes that are under way is given up on, nil when there is none.
local function first_write_ends()
  local first
  for field, ends in pairs(notes) do
    if is_write(field) and (not first or ends < first) then first = ends end
  end
  return first
end

-- For how many milliseconds more a note stands, as text.
local function remains(what)
  return string.format('%.0f', notes[what .. '_until'] - now)
end

local function note(what, value, milliseconds)
  notes[what] = value
  notes[what .. '_until'] = now + tonumber(milliseconds)
end

-- Write what has changed of the notes. What is added comes first: a server without memory refuses it, and has changed nothing.
local function save(about)
  local last, added, gone = 0, {}, {}
  for field, value in pairs(notes) do
    if is_moment(field) then last = math.max(last, value) end
    local text = type(value) == 'number' and string.format('%.0f', value) or value
    if stored[field] ~= text then
      added[#added + 1] = field
      added[#added + 1] = text
    end
  end
  for field in pairs(stored) do
    if notes[field] == nil then gone[#gone + 1] = field end
  end
  if #added > 0 then redis.call('HSET', about, 'noted_at', string.format('%.0f', now), unpack(added)) end
  if #gone > 0 then redis.call('HDEL', about, unpack(gone)) end
  redis.call('PEXPIREAT', about, string.format('%.0f', last))
end

-- Read both before either is written: a wrong type, or a slot on the move, stops a script that has changed nothing.
local function recall(entry, about)
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  held = redis.call('HLEN', entry) > 0
  stored, notes = {}, {}
  local flat = redis.call('HGETALL', about)
  for i = 1, #flat, 2 do
    stored[flat[i]] = flat[i + 1]
    notes[flat[i]] = is_moment(flat[i]) and (tonumber(flat[i + 1]) or 0) or flat[i + 1]
  end
  local behind = (tonumber(notes.noted_at) or 0) - now
  if behind > 0 then
    -- A server took over whose clock is behind: what was to last for so long lasts for so long from now.
    for field, value in pairs(notes) do
      if is_moment(field) then notes[field] = value - behind end
    end
    save(about)
    return recall(entry, about)
  end
  for field, value in pairs(notes) do
    if is_write(field) and value <= now then notes[field] = nil end
  end
  for _, what in ipairs({ 'lease', 'absent', 'failed' }) do
    if (notes[what .. '_until'] or 0) <= now then drop(what) end
  end
  if not first_write_ends() then notes.contested = nil end
end

-- Keep the fields from words[first] on, and no others; not longer than until a moment, if there is one.
local function keep(entry, milliseconds, ends, words, first)
  local gone = {}
  for _, field in ipairs(redis.call('HKEYS', entry)) do gone[field] = true end
  redis.call('HSET', entry, unpack(words, first))
  for i = first, #words, 2 do gone[words[i]] = nil end
  for field in pairs(gone) do redis.call('HDEL', entry, field) end
  local lasts = math.min(tonumber(milliseconds), ends and ends - now or math.huge)
  redis.call('PEXPIRE', entry, string.format('%.0f', math.max(1, lasts)))
end
