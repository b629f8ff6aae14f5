-- Shared: exact arithmetic with decimals. A decimal is a Lua number where it is whole and has at most 15 digits, which a
-- double holds exactly, and its text otherwise. All quantities and amounts go through these functions.
-- Uses changes/numbers

-- Return the decimal that a text says.
local function decimal(text)
  local number = text + 0 -- Lua makes a number of a text in a sum
  return #text < 16 and number % 1 == 0 and number or text
end

-- Return a decimal as text: no exponent, no zeros in front or behind, no negative zero.
local function decimal_text(value)
  if type(value) == 'number' then return integer_text(value) end
  return value
end

-- Return the exact sum of two decimals, given as texts of any length.
local function sum_of_texts(a, b)
  local a_minus, a_whole, a_part = string.match(a, '^(%-?)(%d+)%.?(%d*)$')
  local b_minus, b_whole, b_part = string.match(b, '^(%-?)(%d+)%.?(%d*)$')
  local a_sign, b_sign = a_minus == '' and 1 or -1, b_minus == '' and 1 or -1
  local places = math.max(#a_part, #b_part)
  a, b = a_whole .. a_part .. string.rep('0', places - #a_part), b_whole .. b_part .. string.rep('0', places - #b_part)
  -- Limbs of 15 digits, the lowest first: a sum of two of them is far below 2^53.
  local limbs, greater = {}, 0
  for last = 0, math.max(#a, #b) - 1, 15 do
    local x, y = string.sub(a, -last - 15, -last - 1), string.sub(b, -last - 15, -last - 1)
    local limb = a_sign * (tonumber(x) or 0) + b_sign * (tonumber(y) or 0)
    limbs[#limbs + 1] = limb
    if limb ~= 0 then greater = limb end
  end
  local sign, carry, texts = greater < 0 and -1 or 1, 0, {}
  for i, limb in ipairs(limbs) do
    limb = sign * limb + carry
    carry = math.floor(limb / 1e15)
    texts[#limbs + 1 - i] = string.format('%015.0f', limb - carry * 1e15)
  end
  local digits = carry .. table.concat(texts)
  digits = string.rep('0', places + 1 - #digits) .. digits
  local whole = string.match(string.sub(digits, 1, -places - 1), '^0*(%d.*)$')
  local part = places > 0 and string.gsub(string.sub(digits, -places), '0+$', '') or ''
  local text = part == '' and whole or whole .. '.' .. part
  return sign < 0 and text ~= '0' and '-' .. text or text
end

-- Return a decimal as whole units, the 15 places behind its point, and the 15 behind those, as whole numbers with its sign; nil
-- for one that has more digits.
local function limbs_at_point(value)
  if value + 0 == value then return value, 0, 0 end
  local point = string.find(value, '.', 1, true)
  if not point or point > 16 or #value - point > 30 then return nil end
  local units, high, low = string.sub(value, 1, point - 1) + 0, string.sub(value, point + 1, point + 15), string.sub(value, point + 16)
  high, low = high * 10 ^ (15 - #high), low ~= '' and low * 10 ^ (15 - #low) or 0
  if string.byte(value) == 45 then return units, -high, -low end
  return units, high, low
end

-- Return the exact sum of two decimals, one of which is text: in three doubles, where they hold it.
local function sum_of_limbs(a, b)
  local units, high, low = limbs_at_point(a)
  local more_units, more_high, more_low = limbs_at_point(b)
  if not units or not more_units then return decimal(RARE.sum_of_texts(decimal_text(a), decimal_text(b))) end
  units, high, low = units + more_units, high + more_high, low + more_low
  local sign = ''
  if units < 0 or units == 0 and (high < 0 or high == 0 and low < 0) then
    sign, units, high, low = '-', 0 - units, 0 - high, 0 - low -- the first that is not 0 has the sign of the sum, and -0 is no 0 as text
  end
  if low < 0 then high, low = high - 1, low + 1e15 elseif low >= 1e15 then high, low = high + 1, low - 1e15 end
  if high < 0 then units, high = units - 1, high + 1e15 elseif high >= 1e15 then units, high = units + 1, high - 1e15 end
  if high == 0 and low == 0 then return decimal(sign .. integer_text(units)) end
  local places = string.format('%015.0f', high) .. (low > 0 and string.format('%015.0f', low) or '')
  if string.byte(places, -1) == 48 then places = string.match(places, '^(.-)0+$') end
  return sign .. integer_text(units) .. '.' .. places
end

-- Return the places of a text behind its point.
local function places_of_text(text)
  local point = string.find(text, '.', 1, true)
  return point and #text - point or 0
end

-- Return the exact sum of two decimals. Where both and their sum have at most 15 digits, the sum of the two nearest doubles
-- is less than half of the last place from the true one, and is written with as many places as the longer of the two has.
local function sum(a, b)
  local x, y = a + 0, b + 0 -- a number is equal to this, a text is not
  local total = x + y
  if x == a and y == b then
    if total < 1e15 and total > -1e15 then return total end
  elseif x == 0 then
    return b
  elseif y == 0 then
    return a
  else
    local places = math.max(x == a and 0 or places_of_text(a), y == b and 0 or places_of_text(b))
    local bound = 10 ^ (15 - places)
    if x < bound and x > -bound and y < bound and y > -bound and total < bound and total > -bound then
      if places == 0 then return total end
      local text = string.format('%.' .. places .. 'f', total)
      return decimal(string.byte(text, -1) == 48 and string.match(text, '^(.-)%.?0+$') or text)
    end
  end
  return RARE.sum_of_limbs(a, b)
end

-- Return a decimal times -1.
local function negative(value)
  if type(value) == 'number' then return -value end
  return string.sub(value, 1, 1) == '-' and string.sub(value, 2) or '-' .. value
end

-- Return whether a decimal is below another that is the same double; one of them is text.
local function is_text_less(a, b)
  return string.sub(decimal_text(sum(a, negative(b))), 1, 1) == '-'
end

-- Return whether a decimal is below another. Of two that differ, the nearest double of the lower one is never above the other's.
local function is_less(a, b)
  local x, y = a + 0, b + 0 -- Lua makes numbers of texts in a sum
  if x ~= y or a == b then return x < y end
  return RARE.is_text_less(a, b)
end

-- Return a decimal without its sign.
local function magnitude(value)
  return is_less(value, 0) and negative(value) or value
end
