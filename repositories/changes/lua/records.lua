-- Shared: hashes as records, and the checks of the fields that a change relies on.
-- Uses changes/decimals

local MAX_QUANTITY, MAX_VERSION = CONSTANTS.MAX_QUANTITY, CONSTANTS.MAX_VERSION
local OWN_NAMES = CONSTANTS.OWN_NAMES -- the field of an order that names those of its own fields that have an index
local TOTAL_DIGITS, AMOUNT_DIGITS = CONSTANTS.TOTAL_DIGITS, CONSTANTS.AMOUNT_DIGITS -- before the point

local problem -- the reply of a step that names the first field which it could not use
local asked -- the id by which a step asks for an order, where it is not the order's own; else nil

-- Return the place of each field's value in a list of fields and values.
local function places_of(flat)
  local at = {}
  for i = 1, #flat, 2 do at[flat[i]] = i + 1 end
  return at
end

-- Return the hash of a key as a record: `flat`, the list of fields and values that HGETALL replies; `at`, the place of each
-- field's value in it; and once something is set `changes`, the fields and values to write.
local function read_record(key)
  local flat = redis.call('HGETALL', key)
  return { key = key, flat = flat, at = places_of(flat) }
end

-- Return the value of a field, nil when there is none.
local function value_of(record, name)
  local at = record.at[name]
  return at and record.flat[at]
end

-- Set fields, given as a list of fields and values.
local function set(record, changes)
  local flat, at, written = record.flat, record.at, record.changes
  for i = 1, #changes, 2 do
    local name = changes[i]
    local place = at[name]
    if not place then
      place = #flat + 2
      flat[place - 1], at[name] = name, place
    end
    flat[place] = changes[i + 1]
  end
  if written then
    for i = 1, #changes do written[#written + 1] = changes[i] end
  else
    record.changes = changes
  end
end

-- Set a field that an order need not have; '' removes it.
local function set_or_clear(record, name, value)
  if value ~= '' then return set(record, { name, value }) end
  local place = record.at[name]
  if not place then return end
  table.remove(record.flat, place)
  table.remove(record.flat, place - 1)
  record.at = places_of(record.flat)
  record.cleared = record.cleared or {}
  record.cleared[#record.cleared + 1] = name
end

-- Return the fields and values of an order with own fields as a list, and those of one that was asked for by another id than its
-- own with that id before them.
local function odd_state_of(record)
  local flat = { unpack(record.flat) }
  if asked then
    table.insert(flat, 1, 'asked')
    table.insert(flat, 2, asked)
  end
  return record.at[OWN_NAMES] and flat or table.concat(flat, '\n')
end

-- Return the fields and values of a record as they are now, as one text: a reply of one is faster than a reply of many, and a
-- step that comes later cannot change it. No value that Slotbook writes has a line feed, but a desk's own field may: an order
-- with own fields is a list.
local function state_of(record)
  if record.at[OWN_NAMES] or asked then return RARE.odd_state_of(record) end
  return table.concat(record.flat, '\n')
end

-- Note that a field cannot be used.
local function note_problem(record, name)
  problem = problem or { 'corrupt', record.key, name, value_of(record, name) or '' }
end

-- Return a quantity of a record; note a problem when it is not one.
local function quantity_in(record, name)
  local value = record.flat[record.at[name]]
  if value and (value == '0' or string.find(value, '^[1-9]%d*$') and #value < 17) then
    local found = decimal(value)
    if #value < 16 or not is_less(MAX_QUANTITY, found) then return found end
  end
  RARE.note_problem(record, name)
  return 0
end

-- Return a quantity of a record that may be negative; note a problem when it is not one.
local function signed_in(record, name)
  local value = record.flat[record.at[name]]
  if value and (value == '0' or string.find(value, '^%-?[1-9]%d*$') and #value < 18) then
    local found = decimal(value)
    if #value < 16 or not is_less(MAX_QUANTITY, magnitude(found)) then return found end
  end
  RARE.note_problem(record, name)
  return 0
end

-- Return a sum of quantities of a record, which only grows; note a problem when it is not one.
local function total_in(record, name)
  local value = record.flat[record.at[name]]
  if value and #value <= TOTAL_DIGITS and (value == '0' or string.find(value, '^[1-9]%d*$')) then return decimal(value) end
  RARE.note_problem(record, name)
  return 0
end

-- Return whether a decimal has more digits before the point than can be stored.
local function is_too_large(value, digits)
  return type(value) == 'string' and #value > digits and #string.match(value, '%d+') > digits
end

-- Return a sum of quantities of a record that is below zero once more was taken back than was added since it began; note a
-- problem when it is not one.
local function traded_in(record, name)
  local value = record.flat[record.at[name]]
  if value and #value < 16 and (value == '0' or string.find(value, '^[1-9]%d*$')) then return value + 0 end
  if value and string.find(value, '^%-?[1-9]%d*$') and not is_too_large(value, TOTAL_DIGITS) then return decimal(value) end
  RARE.note_problem(record, name)
  return 0
end

-- Return the version of a record after one more change; note a problem when it has none.
local function next_version(record)
  local version = quantity_in(record, 'version')
  if is_less(MAX_VERSION, version) then RARE.note_problem(record, 'version') end
  return sum(version, 1)
end

-- Return whether a text is a written amount.
local function is_amount(text)
  local whole, part = string.match(text, '^%-?(%d+)%.?(%d*)$')
  if not whole or #whole > AMOUNT_DIGITS or string.find(whole, '^0.') or text == '-0' then return false end
  return string.find(text, '.', 1, true) == nil or string.find(part, '[1-9]$') ~= nil
end

-- Return an amount of a record; note a problem when it is not one.
local function amount_in(record, name)
  local value = record.flat[record.at[name]]
  if value and #value < 16 and (value == '0' or string.find(value, '^[1-9]%d*$')) then return value + 0 end
  local whole, part = string.match(value or '', '^%-?(%d+)%.?(%d*)$')
  if whole and #whole <= AMOUNT_DIGITS and #part < 10 and not string.find(whole, '^0.') and value ~= '-0'
    and (part == '' and not string.find(value, '.', 1, true) or string.find(part, '[1-9]$')) then
    return decimal(value)
  end
  RARE.note_problem(record, name)
  return 0
end
