-- Shared: exact arithmetic with decimals. A decimal is a Lua number where it is whole and has at most 15 digits, which a
-- double holds exactly, and its text otherwise. All quantities and amounts go through these functions.
-- Uses changes/numbers

-- Return the decimal that a text says.
local function decimal(text)
  if #text < 16 and not string.find(text, '.', 1, true) then return text + 0 end
  return text
end

-- Return a decimal as text: no exponent, no zeros in front or behind, no negative zero.
local function decimal_text(value)
  if type(value) == 'number' then return integer_text(value) end
  return value
end

-- Return the exact sum of two texts.
local function sum_of_texts(a, b)
  local a_minus, a_whole, a_part = string.match(a, '^(%-?)(%d+)%.?(%d*)$')
  local b_minus, b_whole, b_part = string.match(b, '^(%-?)(%d+)%.?(%d*)$')
  local a_sign, b_sign = a_minus == '' and 1 or -1, b_minus == '' and 1 or -1
  local places, sign, digits = math.max(#a_part, #b_part), nil, nil
  a, b = a_whole .. a_part .. string.rep('0', places - #a_part), b_whole .. b_part .. string.rep('0', places - #b_part)
  if #a < 16 and #b < 16 then -- most sums have so few digits that one number holds them exactly
    local total = a_sign * a + b_sign * b -- Lua makes numbers of texts in a product
    sign, digits = total < 0 and -1 or 1, integer_text(math.abs(total))
  else
    -- Limbs of seven digits, the lowest first: a sum of them is far below 2^53.
    local limbs, greater = {}, 0
    for last = 0, math.max(#a, #b) - 1, 7 do
      local x, y = string.sub(a, -last - 7, -last - 1), string.sub(b, -last - 7, -last - 1)
      local limb = a_sign * (tonumber(x) or 0) + b_sign * (tonumber(y) or 0)
      limbs[#limbs + 1] = limb
      if limb ~= 0 then greater = limb end
    end
    sign = greater < 0 and -1 or 1
    local carry, texts = 0, {}
    for i, limb in ipairs(limbs) do
      limb = sign * limb + carry
      carry = math.floor(limb / 10000000)
      texts[#limbs + 1 - i] = string.format('%07d', limb - carry * 10000000)
    end
    digits = carry .. table.concat(texts)
  end
  digits = string.rep('0', places + 1 - #digits) .. digits
  local whole = string.match(string.sub(digits, 1, -places - 1), '^0*(%d.*)$')
  local part = places > 0 and string.gsub(string.sub(digits, -places), '0+$', '') or ''
  local text = part == '' and whole or whole .. '.' .. part
  return sign < 0 and text ~= '0' and '-' .. text or text
end

-- Return the exact sum of two decimals.
local function sum(a, b)
  if type(a) == 'number' and type(b) == 'number' then
    local total = a + b
    if total < 1e15 and total > -1e15 then return total end
  end
  if a == 0 then return b end
  return decimal(RARE.sum_of_texts(decimal_text(a), decimal_text(b)))
end

-- Return a decimal times -1.
local function negative(value)
  if type(value) == 'number' then return -value end
  return string.sub(value, 1, 1) == '-' and string.sub(value, 2) or '-' .. value
end

-- Return whether a decimal is below another; one of them is text.
local function is_text_less(a, b)
  return string.sub(decimal_text(sum(a, negative(b))), 1, 1) == '-'
end

-- Return whether a decimal is below another.
local function is_less(a, b)
  if type(a) == 'number' and type(b) == 'number' then return a < b end
  return RARE.is_text_less(a, b)
end

-- Return a decimal without its sign.
local function magnitude(value)
  return is_less(value, 0) and negative(value) or value
end
