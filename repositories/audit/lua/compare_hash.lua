-- Shared: compare a hash with what was read of it before.

-- Return whether a hash, as a table, has just those fields and values of a list that begin at a place.
local function is_as_compared(hash, list, first, size)
  local missing = size
  for field, value in pairs(hash) do missing = missing - 1 end
  if missing ~= 0 then return false end
  for i = first, first + 2 * size - 1, 2 do
    if hash[list[i]] ~= list[i + 1] then return false end
  end
  return true
end

-- Return the fields and values of a list from a place on as a table.
local function changes_in(list, first)
  local changes = {}
  for i = first, #list, 2 do changes[list[i]] = list[i + 1] end
  return changes
end
