-- Shared: exact sums of decimal text. Amounts are counted in units of 1e-9; a quantity stays below 2^53, up to which a Lua
-- number holds every integer exactly.
-- Uses changes/numbers

local BASE = 100000000000000

-- Return a decimal as two numbers with the same sign: value = (high * BASE + low) * 1e-9.
local function split(decimal)
  local sign, digits, part = string.match(decimal, '^(-?)(%d+)%.?(%d*)$')
  digits = digits .. part .. string.rep('0', 9 - #part)
  local high = tonumber(string.sub(digits, 1, -15)) or 0
  local low = tonumber(string.sub(digits, -14)) or 0
  if sign == '-' then return -high, -low end
  return high, low
end

-- Return the exact sum of two decimals, nil when it is past 10^20.
local function add(a, b)
  local a_units, a_part = string.match(a, '^(%d+)%.?(%d*)$')
  local b_units, b_part = string.match(b, '^(%d+)%.?(%d*)$')
  local places = a_units and b_units and math.max(#a_part, #b_part) or 15
  -- Most sums have so few digits that one number holds them exactly.
  if places < 15 and #a_units + places <= 15 and #b_units + places <= 15 then
    local digits = integer_text((a_units .. a_part .. string.rep('0', places - #a_part))
      + (b_units .. b_part .. string.rep('0', places - #b_part))) -- Lua makes numbers of texts in a sum
    if places == 0 then return digits end
    digits = string.rep('0', places + 1 - #digits) .. digits
    local part = string.gsub(string.sub(digits, -places), '0+$', '')
    return string.sub(digits, 1, -places - 1) .. (part == '' and '' or '.' .. part)
  end
  local a_high, a_low = split(a)
  local b_high, b_low = split(b)
  local high, low = a_high + b_high, a_low + b_low
  if low >= BASE then high, low = high + 1, low - BASE
  elseif low <= -BASE then high, low = high - 1, low + BASE end
  if high > 0 and low < 0 then high, low = high - 1, low + BASE
  elseif high < 0 and low > 0 then high, low = high + 1, low - BASE end
  if math.abs(high) >= 1e15 then return nil end
  local digits = integer_text(math.abs(high)) .. string.format('%014.0f', math.abs(low))
  local units = string.gsub(string.sub(digits, 1, -10), '^0+', '')
  local part = string.gsub(string.sub(digits, -9), '0+$', '')
  local text = (units == '' and '0' or units) .. (part == '' and '' or '.' .. part)
  if (high < 0 or low < 0) and text ~= '0' then return '-' .. text end
  return text
end
