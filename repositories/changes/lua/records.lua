-- Shared: hashes as records, and the checks of the fields that a change relies on.
-- Uses changes/decimals

local MAX_COUNT, MAX_VERSION = CONSTANTS.MAX_COUNT, CONSTANTS.MAX_VERSION
local OWN_NAMES = CONSTANTS.OWN_NAMES -- the field of an order that names those of its own fields that have an index
-- Digits before the point, and behind it.
local QUANTITY_DIGITS, TOTAL_DIGITS, AMOUNT_DIGITS = CONSTANTS.QUANTITY_DIGITS, CONSTANTS.TOTAL_DIGITS, CONSTANTS.AMOUNT_DIGITS
local QUANTITY_PLACES, AMOUNT_PLACES = CONSTANTS.QUANTITY_PLACES, CONSTANTS.AMOUNT_PLACES

local problem -- the reply of a step that names the first field which it could not use
local asked -- the id by which a step asks for an order, where it is not the order's own; else nil

-- Return the place of each field's value in a list of fields and values.
local function places_of(flat)
  -- As large at once as nearly all become: one that grows is built anew for each of its sizes.
  local at = {
    trader = nil, order_id = nil, symbol = nil, side = nil, type = nil, time_in_force = nil, quantity = nil, status = nil,
    filled_quantity = nil, filled_notional = nil, version = nil, ts_ns = nil, digest = nil, price = nil, updated_ns = nil,
    bought_quantity = nil, sold_quantity = nil,
  }
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

-- Return a count of a record, such as a version; note a problem when it is not one.
local function count_in(record, name)
  local value = record.flat[record.at[name]]
  if value and (value == '0' or string.find(value, '^[1-9]%d*$') and #value < 17) then
    local found = decimal(value)
    if #value < 16 or not is_less(MAX_COUNT, found) then return found end
  end
  RARE.note_problem(record, name)
  return 0
end

-- Return whether a text is a decimal in the form that is written, with at most so many digits before and behind the point.
local function is_decimal(text, digits, places)
  local whole, part = string.match(text, '^%-?(%d+)%.?(%d*)$')
  if not whole or #whole > digits or #part > places or string.find(whole, '^0.') or text == '-0' then return false end
  return string.find(text, '.', 1, true) == nil or string.find(part, '[1-9]$') ~= nil
end

-- Return a field of a record as a decimal; note a problem when it is none of so many digits and places, or one with a sign
-- that may have none. What is short, as nearly all are, needs no count of its digits.
local function decimal_in(record, name, digits, places, is_signed)
  local value = record.flat[record.at[name]]
  if value then
    if #value < 16 and (value == '0' or string.find(value, is_signed and '^%-?[1-9]%d*$' or '^[1-9]%d*$')) then return value + 0 end
    if #value < 17 and string.find(value, is_signed and '^%-?%d+%.%d*[1-9]$' or '^%d+%.%d*[1-9]$')
      and not string.find(value, '^%-?0%d') then
      return value
    end
    if RARE.is_decimal(value, digits, places) and (is_signed or string.sub(value, 1, 1) ~= '-') then return decimal(value) end
  end
  RARE.note_problem(record, name)
  return 0
end

-- Return a quantity of a record; note a problem when it is not one.
local function quantity_in(record, name)
  return decimal_in(record, name, QUANTITY_DIGITS, QUANTITY_PLACES)
end

-- Return a quantity of a record that may be negative; note a problem when it is not one.
local function signed_in(record, name)
  return decimal_in(record, name, QUANTITY_DIGITS, QUANTITY_PLACES, true)
end

-- Return a sum of quantities of a record, which only grows; note a problem when it is not one.
local function total_in(record, name)
  return decimal_in(record, name, TOTAL_DIGITS, QUANTITY_PLACES)
end

-- Return whether a decimal has more digits before the point than can be stored.
local function is_too_large(value, digits)
  return type(value) == 'string' and #value > digits and #string.match(value, '%d+') > digits
end

-- Return a sum of quantities of a record that is below zero once more was taken back than was added since it began; note a
-- problem when it is not one.
local function traded_in(record, name)
  return decimal_in(record, name, TOTAL_DIGITS, QUANTITY_PLACES, true)
end

-- Return the version of a record after one more change; note a problem when it has none.
local function next_version(record)
  local version = count_in(record, 'version')
  if is_less(MAX_VERSION, version) then RARE.note_problem(record, 'version') end
  return sum(version, 1)
end

-- Return an amount of a record; note a problem when it is not one.
local function amount_in(record, name)
  return decimal_in(record, name, AMOUNT_DIGITS, AMOUNT_PLACES, true)
end
