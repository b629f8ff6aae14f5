-- Shared: stored whole numbers, checked before a script computes with them.

-- Return the reply that names the first of these fields that is missing, or is not a whole number that Lua keeps exact;
-- nil when all of them are.
local function corrupt_integer(key, fields, names)
  for _, field in ipairs(names) do
    local value = fields[field]
    if not value or not string.match(value, '^-?%d+$') or #value > 17 then
      return { 'corrupt', key, field, value or '' }
    end
  end
  return nil
end
