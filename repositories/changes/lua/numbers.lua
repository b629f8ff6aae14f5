-- Shared: whole numbers as text.

-- Return a whole number as text. '%d' is much faster than '%.0f', but a 32-bit server gets larger numbers wrong with it.
local function integer_text(number)
  return string.format(number < 2147483648 and number > -2147483648 and '%d' or '%.0f', number)
end
