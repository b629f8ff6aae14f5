-- Shared: the order texts of sorted indexes, whose bytes are in the order of the numbers or times that they stand for; see
-- models/ordering.py, which makes the same ones.
-- Uses changes/decimals

local NINES = {
  ['0'] = '9', ['1'] = '8', ['2'] = '7', ['3'] = '6', ['4'] = '5', ['5'] = '4', ['6'] = '3', ['7'] = '2', ['8'] = '1', ['9'] = '0',
}

-- Return the order text of a written number, nil for what is none.
local function number_order(written)
  if written == 'inf' then return 'e' end
  if written == '-inf' then return 'a' end
  local minus, whole, part, exponent = string.match(written, '^(%-?)(%d+)%.?(%d*)[eE]?%+?(%-?%d*)$')
  if not whole then return nil end
  local digits = string.match(whole .. part, '^0*(%d-)0*$')
  if digits == '' then return 'c' end
  local zeros = #string.match(whole .. part, '^0*')
  local power = sum(decimal(exponent == '' and '0' or exponent), #whole - zeros)
  local size = decimal_text(magnitude(power))
  size = string.format('%02d', #size) .. size
  local grows = is_less(power, 0) == (minus ~= '')
  local head = grows and 'p' .. size or 'n' .. string.gsub(size, '%d', NINES)
  if minus == '' then return 'd' .. head .. digits .. '.' end
  return 'b' .. head .. string.gsub(digits, '%d', NINES)
end

-- Return the order text of a written time, nil for what is none.
local function time_order(written)
  local year, month, day = string.match(written, '^(%d%d%d%d)-(%d%d)-(%d%d)$')
  if year then return 'd' .. year .. month .. day end
  local date, hour, minute, second, fraction, zone =
    string.match(written, '^([%d-]+)T(%d%d):(%d%d):(%d%d)%.?(%d*)(Z?)$')
  if not date then return nil end
  fraction = fraction .. string.rep('0', 6 - #fraction)
  return (zone == 'Z' and 'z' or 'l') .. string.gsub(date, '-', '') .. hour .. minute .. second .. fraction
end

-- Return the order text of a written number or time, nil for what is neither.
local function order_text(form, written)
  if form == 'number' then return RARE.number_order(written) end
  return RARE.time_order(written)
end
