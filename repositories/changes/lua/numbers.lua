-- Shared: whole numbers as text.

-- A whole number as text. '%d' is much sooner done, but on a server of 32 bits wrong beyond them.
local function integer_text(number)
  return string.format(number < 2147483648 and number > -2147483648 and '%d' or '%.0f', number)
end
