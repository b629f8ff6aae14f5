-- Shared by the scripts of coordination, whose records hold whole numbers that a Lua number keeps exactly.

-- The first of the named fields that is missing or no such number, as the reply that says so; nil when there is none.
local function unreadable(key, fields, names)
  for _, field in ipairs(names) do
    local value = fields[field]
    if not value or not string.match(value, '^-?%d+$') or #value > 17 then
      return { 'corrupt', key, field, value or '' }
    end
  end
  return nil
end
