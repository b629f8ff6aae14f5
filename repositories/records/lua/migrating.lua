-- Shared: a run that brings a trader's records of a kind to a schema. Its steps are numbered, and each looks for the number of
-- the one before, and for the records that were written since: a server without these has lost what the run has seen or
-- written, and the run begins anew.
-- Uses changes/clock

-- How long a run waits between its steps at most, in milliseconds.
local LIFETIME = 600000

-- Return the reply that ends a run, nil when it may go on: all records are of a newer schema, or of this, or a step is lost.
local function end_of_run(book, run, kind, schema, number)
  local mark, last = tonumber(redis.call('HGET', book, 'schema:' .. kind) or '0'), redis.call('GET', run) or '0'
  if mark > schema + 0 then return { 'newer', tostring(mark) } end
  if mark == schema + 0 then
    if last ~= '0' then redis.call('UNLINK', run) end
    return { 'marked' }
  end
  if last ~= number and last + 1 ~= number + 0 then return { 'lost' } end
end

-- Note that a run has made a step.
local function note_step(run, number)
  redis.call('SET', run, number, 'PX', LIFETIME)
end

-- Add a record to a list of keys and records, if it is of an older schema than the model. Return the reply that ends the run,
-- nil when it may go on: the record is newer, or on its way to another server.
local function add_older(list, all, base, key, schema)
  local stored = redis.call('HGET', base .. key, CONSTANTS.SCHEMA_FIELD)
  local is_listed = not stored and redis.call('ZSCORE', all, key)
  local expiry = is_listed and redis.call('ZSCORE', all .. '@expiry', key)
  if is_listed and (not expiry or tonumber(expiry) > now_ms()) then
    return redis.error_reply('TRYAGAIN the index ' .. all .. ' names ' .. key .. ', which is not here')
  end
  local number = tonumber(stored or schema) or 0
  if number > schema + 0 then return { 'newer', tostring(number) } end
  if number < schema + 0 then list[#list + 1], list[#list + 2] = key, redis.call('HGETALL', base .. key) end
end

-- Return the reply that ends a run when the server lacks a record that was written after the last step, nil when it has all.
local function loss_of_written(all, base, schema, keys)
  local older = {}
  for _, key in ipairs(keys) do
    local refused = add_older(older, all, base, key, schema)
    if refused then return refused end
  end
  return #older > 0 and { 'lost' } or nil
end
