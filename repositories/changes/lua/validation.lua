-- Shared: fields of stored records, checked before they are used. A record that cannot be read is refused before anything is
-- written.

local MAX_QUANTITY = CONSTANTS.MAX_QUANTITY
local NAMED_VALUES = CONSTANTS.NAMED_VALUES

-- Return whether a text is a decimal as it is written: no more digits than necessary, at most 9 of them behind the point.
local function is_decimal(value, most_digits)
  local whole, part = string.match(value, '^%-?(%d+)%.?(%d*)$')
  return whole and value ~= '-0' and #whole <= most_digits and (whole == '0' or string.sub(whole, 1, 1) ~= '0')
    and (part == '' and not string.find(value, '.', 1, true) or #part <= 9 and string.match(part, '[1-9]$'))
end

-- Return whether a value is text of 1 to so many characters: valid UTF-8 without control characters.
local function is_text(value, most_characters)
  if string.find(value, '[%z\1-\31\127]') then return false end
  if not string.find(value, '[\128-\255]') then return #value >= 1 and #value <= most_characters end
  local _, length = string.gsub(value, '[^\128-\191]', '') -- every byte but those that continue a character begins one
  -- The characters of several bytes (RFC 3629, section 4). All that are found are taken out; bytes that are left belong to none.
  local characters = {
    '\194[\160-\191]', -- U+00A0 to U+00BF: those before are control characters
    '[\195-\223][\128-\191]', -- up to U+07FF
    '\224[\160-\191][\128-\191]', -- U+0800 to U+0FFF: those before are written in two bytes
    '\237[\128-\159][\128-\191]', -- U+D000 to U+D7FF: surrogates follow
    '[\225-\236\238\239][\128-\191][\128-\191]', -- all others up to U+FFFF
    '\240[\144-\191][\128-\191][\128-\191]', -- U+10000 to U+3FFFF: those before are written in three bytes
    '[\241-\243][\128-\191][\128-\191][\128-\191]', -- up to U+FFFFF
    '\244[\128-\143][\128-\191][\128-\191]', -- up to U+10FFFF, the last
  }
  local rest = value
  for _, character in ipairs(characters) do rest = string.gsub(rest, character, ' ') end
  return length <= most_characters and not string.find(rest, '[\128-\255]')
end

-- Return whether a text is a whole number from 1 to `greatest`, which is a text of 16 digits. Numbers of equally many digits
-- are compared as texts, which is faster than converting them.
local function is_positive(value, greatest)
  return string.find(value, '^[1-9]%d*$') and (#value < 16 or #value == 16 and value <= greatest)
end

-- Return whether a value passes a check; changes/scripts.py says which check a field needs. It is one function, because a
-- server builds every function of a script anew for each call.
local function is_valid(check, value)
  local names = NAMED_VALUES[check]
  if names then return names[value] end
  if check == 'name' then
    if #value <= 128 and string.find(value, '^[!-z|~]+$') then return true end -- most are ASCII
    return is_text(value, 128) and not string.find(value, '[%s{}]')
  end
  if check == 'quantity' then return is_positive(value, CONSTANTS.GREATEST_QUANTITY) end
  if check == 'count' then return value == '0' or is_positive(value, CONSTANTS.GREATEST_QUANTITY) end
  if check == 'version' then return value == '0' or is_positive(value, CONSTANTS.GREATEST_VERSION) end
  if check == 'amount' then return is_decimal(value, 20) end
  if check == 'price' then return is_decimal(value, 12) end
  if check == 'time' then
    return value == '0'
      or string.find(value, '^[1-9]%d*$') and (#value < 19 or #value == 19 and value <= CONSTANTS.GREATEST_TIME)
  end
  if check == 'signed' then
    return value == '0' or is_positive(string.match(value, '^%-?(.*)$'), CONSTANTS.GREATEST_QUANTITY)
  end
  return is_text(value, 256)
end

-- Return the reply that names the first field that is missing or cannot be read, nil when there is none.
local function corrupt_field(key, fields, required, optional)
  for field, check in pairs(required) do
    if not fields[field] or not is_valid(check, fields[field]) then
      return { 'corrupt', key, field, fields[field] or '' }
    end
  end
  for field, check in pairs(optional) do
    if fields[field] and not is_valid(check, fields[field]) then return { 'corrupt', key, field, fields[field] } end
  end
  return nil
end
