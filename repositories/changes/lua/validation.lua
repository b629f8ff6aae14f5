-- Shared by every script that changes a stored record: what cannot be read is refused before anything is written.
-- Uses changes/lifetimes

local MOST = 9007199254740991

local function decimal(value, most_digits)
  local whole, part = string.match(value, '^%-?(%d+)%.?(%d*)$')
  return whole and value ~= '-0' and #whole <= most_digits and (whole == '0' or string.sub(whole, 1, 1) ~= '0')
    and (part == '' and not string.find(value, '.', 1, true) or #part <= 9 and string.match(part, '[1-9]$'))
end

-- UTF-8 without control characters, of some length in characters.
local function readable(value, most)
  if string.find(value, '[%z\1-\31\127]') then return false end
  if not string.find(value, '[\128-\255]') then return #value >= 1 and #value <= most end
  local _, length = string.gsub(value, '[^\128-\191]', '')
  local rest = string.gsub(value, '\194[\160-\191]', ' ')
  rest = string.gsub(rest, '[\195-\223][\128-\191]', ' ')
  rest = string.gsub(rest, '\224[\160-\191][\128-\191]', ' ')
  rest = string.gsub(rest, '\237[\128-\159][\128-\191]', ' ')
  rest = string.gsub(rest, '[\225-\236\238\239][\128-\191][\128-\191]', ' ')
  rest = string.gsub(rest, '\240[\144-\191][\128-\191][\128-\191]', ' ')
  rest = string.gsub(rest, '[\241-\243][\128-\191][\128-\191][\128-\191]', ' ')
  rest = string.gsub(rest, '\244[\128-\143][\128-\191][\128-\191]', ' ')
  return length <= most and not string.find(rest, '[\128-\255]')
end

-- Of two numbers with as many digits the greater is the later text, which is much sooner told than their values.
local function natural(value, most)
  return string.find(value, '^[1-9]%d*$') and (#value < 16 or #value == 16 and value <= most)
end

-- Whether a value can be read. One function, because a server builds every function of a script anew for each call.
local function valid(check, value)
  if check == 'side' then return value == 'BUY' or value == 'SELL' end
  if check == 'kind' then return value == 'LIMIT' or value == 'MARKET' or value == 'STOP' or value == 'STOP_LIMIT' end
  if check == 'force' then
    return value == 'DAY' or value == 'GTC' or value == 'IOC' or value == 'FOK' or value == 'OPG'
  end
  if check == 'status' then
    return OPEN[value] or value == 'FILLED' or value == 'CANCELED' or value == 'REJECTED' or value == 'EXPIRED'
  end
  if check == 'name' then
    if #value <= 128 and string.find(value, '^[!-z|~]+$') then return true end -- most are ASCII
    return readable(value, 128) and not string.find(value, '[%s{}]')
  end
  if check == 'quantity' then return natural(value, '9007199254740991') end
  if check == 'count' then return value == '0' or natural(value, '9007199254740991') end
  if check == 'version' then return value == '0' or natural(value, '9007199254740990') end -- room for one more
  if check == 'amount' then return decimal(value, 20) end
  if check == 'price' then return decimal(value, 12) end
  if check == 'time' then
    return value == '0'
      or string.find(value, '^[1-9]%d*$') and (#value < 19 or #value == 19 and value <= '9223372036854775807')
  end
  if check == 'signed' then return value == '0' or natural(string.match(value, '^%-?(.*)$'), '9007199254740991') end
  return readable(value, 256) -- text
end

-- The first field that is missing or cannot be read, as the reply that says so; nil when there is none.
local function corrupt_field(key, fields, required, optional)
  for field, check in pairs(required) do
    if not fields[field] or not valid(check, fields[field]) then
      return { 'corrupt', key, field, fields[field] or '' }
    end
  end
  for field, check in pairs(optional) do
    if fields[field] and not valid(check, fields[field]) then return { 'corrupt', key, field, fields[field] } end
  end
  return nil
end
