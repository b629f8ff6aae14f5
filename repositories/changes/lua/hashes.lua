-- Shared: hashes as Lua tables.

-- Return a hash as a table, nil when there is none.
local function read_hash(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return nil end
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- Return a table as the flat list of fields and values that HGETALL would reply.
local function hash_as_list(fields)
  local list, size = {}, 0
  for field, value in pairs(fields) do
    list[size + 1], list[size + 2] = field, value
    size = size + 2
  end
  return list
end

-- Write changes to a hash, and to the table that was read from it; '' removes a field.
local function write_hash(key, fields, changes)
  local set, cleared = {}, {}
  for field, value in pairs(changes) do
    if value == '' then
      if fields[field] then cleared[#cleared + 1] = field end
      fields[field] = nil
    else
      set[#set + 1] = field
      set[#set + 1] = value
      fields[field] = value
    end
  end
  redis.call('HSET', key, unpack(set))
  if #cleared > 0 then redis.call('HDEL', key, unpack(cleared)) end
end
