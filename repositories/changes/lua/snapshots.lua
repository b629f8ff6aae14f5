-- Shared: the fields of a record as a change left them, stored with the change, so that a repeat can return the first result.

local ORDER_SNAPSHOT = CONSTANTS.ORDER_SNAPSHOT
local POSITION_SNAPSHOT = CONSTANTS.POSITION_SNAPSHOT

-- Return the values of some fields as a list of texts, '' for a field that is absent.
local function snapshot(fields, names)
  local values = {}
  for i, name in ipairs(names) do values[i] = fields[name] or '' end
  return values
end

-- Put the values of a snapshot back into a record, and return the record.
local function rewind(fields, names, values)
  for i, name in ipairs(names) do
    fields[name] = values[i] ~= '' and values[i] or nil
  end
  return fields
end

-- Return what is stored with a change, nil when it cannot be read. The shape has a number for each part: 0 for a text, the
-- length for a list of texts.
local function recall(text, shape)
  local is_json, memory = pcall(cjson.decode, text)
  if not is_json or type(memory) ~= 'table' or #memory ~= #shape then return nil end
  for i, length in ipairs(shape) do
    if length == 0 then
      if type(memory[i]) ~= 'string' then return nil end
    else
      if type(memory[i]) ~= 'table' or #memory[i] ~= length then return nil end
      for _, value in ipairs(memory[i]) do
        if type(value) ~= 'string' then return nil end
      end
    end
  end
  return memory
end
