-- Bring one index entry or unique value in line with its own record, if both are as they were compared: every change of a
-- record raises its version.
-- Uses audit/own_index
-- KEYS record
--      place            the index, or the unique value
--      book             the header
-- Touches the record that has the unique value, and the set beside the index
-- ARGV kind
--      key              of the record
--      is_unique        '1' for a unique value, '0' for an index
--      field            the field that decides; '' for the index of all records
--      version          of the record as compared, '' for none
--      value            of the field as compared, behind '='; '' for none
--      member           of the index
--      beside           the key of the set beside the index
--      stored           when the entry expires or the owner of the value as compared, '' for none
--      stored_expiry    when the unique value expires as compared; '' for none
--      expected         '1' when the record belongs there, '0' when it does not
-- Returns 'applied'  'changed': something is not what was compared

local record, place, key = KEYS.record, KEYS.place, ARGV.key
local version = redis.call('HGET', record, 'version') or ''
local expiry = redis.call('PEXPIRETIME', record)
local wanted = expiry == -1 and 'inf' or string.format('%.0f', expiry)
local value = ''
if ARGV.field ~= '' then
  local held = redis.call('HGET', record, ARGV.field)
  value = held and '=' .. held or ''
end
if version ~= ARGV.version or value ~= ARGV.value then return 'changed' end

if ARGV.is_unique == '1' then
  local owner, until_then = redis.call('GET', place) or '', redis.call('PEXPIRETIME', place)
  if owner ~= ARGV.stored or (owner ~= '' and tostring(until_then) ~= ARGV.stored_expiry) then return 'changed' end
  if ARGV.expected == '0' then
    redis.call('UNLINK', place)
    return 'applied'
  end
  if owner ~= '' and owner ~= key then
    local base = string.sub(record, 1, #record - #key)
    if '=' .. (redis.call('HGET', base .. owner, ARGV.field) or '') == value then return 'changed' end
  end
  redis.call('SET', place, key)
  if wanted ~= 'inf' then redis.call('PEXPIREAT', place, wanted) end
  return 'applied'
end

local member, beside = ARGV.member, ARGV.beside
local score = score_of(redis.call, place, beside, member) or ''
if score ~= ARGV.stored then return 'changed' end
local stay = 'stay:' .. ARGV.kind
if ARGV.expected == '1' and wanted ~= 'inf' and redis.call('HGET', KEYS.book, stay) == '1' then
  redis.call('HSET', KEYS.book, stay, '0') -- else changes would not look into the set beside
end
write_entry(place, beside, member, ARGV.expected == '1' and wanted or '')
return 'applied'
