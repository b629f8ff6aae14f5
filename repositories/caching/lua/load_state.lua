-- Shared: the state of an entry's loads and writes. It is a hash beside the entry, in the same slot, and it expires
-- with the last of the times in it:
--   lease, lease_until        the token of the caller whose load may be stored, removed by anything newer
--   kept_until                until when that load may be cached: a write to the source overlaps the load
--   writing:<token>           when a write to the source, which is under way, is given up on
--   contested                 writes have overlapped, so it is unknown which of them the source has kept
--   absent, absent_until      the source has no such key
--   failed, failed_until      why the last load failed
--   noted_at                  when the state was last written
-- Times are milliseconds by the server's clock.

-- `stored` is the state as Redis has it, in text; scripts change `state`, and save it.
local now, is_cached, stored, state

local function is_write(field)
  return string.sub(field, 1, 8) == 'writing:'
end

local function is_time(field)
  return is_write(field) or string.sub(field, -6) == '_until'
end

local function forget(...)
  for _, name in ipairs({ ... }) do
    state[name] = nil
    state[name .. '_until'] = nil
    if name == 'lease' then state.kept_until = nil end
  end
end

local function remember(name, value, milliseconds)
  state[name] = value
  state[name .. '_until'] = now + tonumber(milliseconds)
end

-- For how many milliseconds more a part of the state is valid, as text.
local function remaining(name)
  return string.format('%.0f', state[name .. '_until'] - now)
end

-- When the first of the writes under way is given up on; nil when there is none.
local function first_write_ends()
  local first
  for field, ends in pairs(state) do
    if is_write(field) and (not first or ends < first) then first = ends end
  end
  return first
end

-- Write what has changed of the state. Additions come first: a server that is out of memory refuses them, and then
-- nothing has been changed.
local function save_state(key)
  local last, added, removed = 0, {}, {}
  for field, value in pairs(state) do
    if is_time(field) then last = math.max(last, value) end
    local text = type(value) == 'number' and string.format('%.0f', value) or value
    if stored[field] ~= text then
      added[#added + 1] = field
      added[#added + 1] = text
    end
  end
  for field in pairs(stored) do
    if state[field] == nil then removed[#removed + 1] = field end
  end
  if #added > 0 then redis.call('HSET', key, 'noted_at', string.format('%.0f', now), unpack(added)) end
  if #removed > 0 then redis.call('HDEL', key, unpack(removed)) end
  redis.call('PEXPIREAT', key, string.format('%.0f', last))
end

-- Read the state, without what has expired, and whether the entry exists. Both keys are read before either is written,
-- so that a key of another type, or a slot that is being migrated, stops the script before it has changed anything.
local function read_state(entry, key)
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  is_cached = redis.call('HLEN', entry) > 0
  if is_cached and redis.call('HGET', entry, CONSTANTS.SCHEMA_FIELD) then
    error({ err = 'WRONGTYPE ' .. entry .. ' is a record of a kind, and no entry of a cache' })
  end
  stored, state = {}, {}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    stored[flat[i]] = flat[i + 1]
    state[flat[i]] = is_time(flat[i]) and (tonumber(flat[i + 1]) or 0) or flat[i + 1]
  end
  local behind = (tonumber(state.noted_at) or 0) - now
  if behind > 0 then
    -- A server whose clock is behind has taken over: every period in the state begins again, by this server's clock.
    for field, value in pairs(state) do
      if is_time(field) then state[field] = value - behind end
    end
    save_state(key)
    return read_state(entry, key)
  end
  for field, value in pairs(state) do
    if is_write(field) and value <= now then state[field] = nil end
  end
  for _, name in ipairs({ 'lease', 'absent', 'failed' }) do
    if (state[name .. '_until'] or 0) <= now then forget(name) end
  end
  if not first_write_ends() then state.contested = nil end
end

-- Store the fields in `list` from `first` on, and no others, as the entry: for some milliseconds, but not past `latest`
-- if it is given.
local function store_entry(entry, milliseconds, latest, list, first)
  local removed = {}
  for _, field in ipairs(redis.call('HKEYS', entry)) do removed[field] = true end
  redis.call('HSET', entry, unpack(list, first))
  for i = first, #list, 2 do removed[list[i]] = nil end
  for field in pairs(removed) do redis.call('HDEL', entry, field) end
  local lifetime = math.min(tonumber(milliseconds), latest and latest - now or math.huge)
  redis.call('PEXPIRE', entry, string.format('%.0f', math.max(1, lifetime)))
end
