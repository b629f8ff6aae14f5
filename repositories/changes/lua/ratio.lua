-- Shared: exact products of decimals, and shares of one, which are rounded half to even. What doubles hold exactly is done with
-- them, all else with limbs of seven digits, the lowest first: a product of two is below 10^14, and a sum of some ninety of
-- those below 2^53.
-- Uses changes/decimals

local LIMB = 10000000

-- Return a decimal in parts: whether it is negative, its digits without a point, and how many of them are behind it.
local function parts_of_decimal(value)
  local minus, whole, part = string.match(decimal_text(value), '^(%-?)(%d+)%.?(%d*)$')
  return minus == '-', whole .. part, #part
end

-- Return the decimal of digits, of which some are behind the point.
local function decimal_of(is_negative, digits, places)
  if #digits <= places then digits = string.rep('0', places + 1 - #digits) .. digits end
  local whole = string.match(string.sub(digits, 1, #digits - places), '^0*(%d.*)$')
  local part = places > 0 and string.gsub(string.sub(digits, -places), '0+$', '') or ''
  local text = part == '' and whole or whole .. '.' .. part
  return decimal(is_negative and text ~= '0' and '-' .. text or text)
end

-- Return the limbs of digits.
local function limbs_of(digits)
  local limbs = {}
  for last = #digits, 1, -7 do limbs[#limbs + 1] = string.sub(digits, math.max(1, last - 6), last) + 0 end
  return limbs
end

-- Return the digits of limbs.
local function digits_of(limbs)
  local texts = {}
  for i = #limbs, 1, -1 do texts[#texts + 1] = string.format('%07d', limbs[i]) end
  return table.concat(texts)
end

-- Return the limbs of the product of two numbers in limbs.
local function multiplied(a, b)
  local limbs, carry = {}, 0
  for place = 1, #a + #b do
    local total = carry
    for i = math.max(1, place + 1 - #b), math.min(place, #a) do total = total + a[i] * b[place + 1 - i] end
    carry = math.floor(total / LIMB)
    limbs[place] = total - carry * LIMB
  end
  return limbs
end

-- Return whether a number in limbs is below another; both have as many limbs.
local function is_below(a, b)
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return false
end

-- Take a multiple of a number off the highest limbs of a remainder; both have as many limbs, a negative multiple is added.
local function take_off(rest, divisor, times)
  local carry = 0
  for i = 1, #rest do
    local limb = rest[i] - times * divisor[i] + carry
    carry = math.floor(limb / LIMB)
    rest[i] = limb - carry * LIMB
  end
  return carry -- below zero when too much was taken
end

-- Return the limbs of a quotient and of its remainder: long division, a limb at a time. The divisor has a limb 0 on top, so that
-- it is as long as a remainder becomes.
local function divided(dividend, divisor)
  local size, quotient, rest = #divisor, {}, {}
  for i = 1, size do rest[i] = 0 end
  local top = divisor[size - 1] * LIMB + (divisor[size - 2] or 0)
  for place = #dividend, 1, -1 do
    table.remove(rest)
    table.insert(rest, 1, dividend[place])
    local times = math.floor(((rest[size] * LIMB + rest[size - 1]) * LIMB + (rest[size - 2] or 0)) / top)
    local carry = take_off(rest, divisor, times)
    while carry < 0 do
      times, carry = times - 1, carry + take_off(rest, divisor, -1)
    end
    while not is_below(rest, divisor) do
      times = times + 1
      take_off(rest, divisor, 1)
    end
    quotient[place] = times
  end
  return quotient, rest
end

-- Return the exact product of two decimals.
local function product(a, b)
  if type(a) == 'number' and type(b) == 'number' and math.abs(a * b) < 1e15 then return a * b end
  local a_minus, a_digits, a_places = parts_of_decimal(a)
  local b_minus, b_digits, b_places = parts_of_decimal(b)
  return decimal_of(a_minus ~= b_minus, digits_of(multiplied(limbs_of(a_digits), limbs_of(b_digits))), a_places + b_places)
end

-- Return the digits of an amount times a part divided by a whole, rounded half to even, by long division in limbs.
local function share_in_limbs(amount, part, whole)
  local dividend = multiplied(limbs_of(amount), limbs_of(part))
  local divisor = limbs_of(whole)
  while divisor[#divisor] == 0 do divisor[#divisor] = nil end
  divisor[#divisor + 1] = 0
  local quotient, rest = divided(dividend, divisor)
  local left = multiplied(rest, { 2 })
  left[#left] = nil -- a remainder's highest limb is 0
  local is_more = is_below(divisor, left)
  if is_more or (not is_below(left, divisor) and quotient[1] % 2 == 1) then
    local at = 1
    quotient[#quotient + 1] = 0
    while quotient[at] == LIMB - 1 do
      quotient[at], at = 0, at + 1
    end
    quotient[at] = quotient[at] + 1
  end
  return digits_of(quotient)
end

-- Return the same where part and whole are numbers below 10^14: by long division of as many digits at once as keep what a step
-- divides below 2^53. A digit group of the quotient may exceed its digits, since the part may be close to the whole or above it.
local function share_in_doubles(amount, part, whole)
  local width = 15 - #integer_text(math.max(part, whole))
  local power, groups, rest = 10 ^ width, {}, 0
  amount = string.rep('0', -#amount % width) .. amount
  for first = 1, #amount, width do
    local dividend = rest * power + string.sub(amount, first, first + width - 1) * part
    rest = dividend % whole
    groups[#groups + 1] = (dividend - rest) / whole
  end
  local last = groups[#groups]
  if 2 * rest > whole or 2 * rest == whole and last % 2 == 1 then groups[#groups] = last + 1 end
  local carry, form = 0, '%0' .. width .. '.0f'
  for i = #groups, 1, -1 do
    local group = groups[i] + carry
    carry = math.floor(group / power)
    groups[i] = string.format(form, group - carry * power)
  end
  return integer_text(carry) .. table.concat(groups)
end

-- Return an amount times a part divided by a whole, rounded half to even at a number of places. Part and whole are above zero.
local function share_of(amount, part, whole, places)
  local is_negative, digits, amount_places = parts_of_decimal(amount)
  local _, part_digits, part_places = parts_of_decimal(part)
  local _, whole_digits, whole_places = parts_of_decimal(whole)
  local padding = string.rep('0', math.abs(part_places - whole_places))
  if part_places < whole_places then
    part_digits = part_digits .. padding
  elseif whole_places < part_places then
    whole_digits = whole_digits .. padding
  end
  local zeros, divisor, factor = places - amount_places, whole_digits + 0, part_digits + 0
  if zeros >= 0 and divisor < 1e14 and factor < 1e14 then
    return decimal_of(is_negative, share_in_doubles(digits .. string.rep('0', zeros), factor, divisor), places)
  end
  if zeros > 0 then digits = digits .. string.rep('0', zeros) end
  if zeros < 0 then whole_digits = whole_digits .. string.rep('0', -zeros) end
  return decimal_of(is_negative, share_in_limbs(digits, part_digits, whole_digits), places)
end
