-- Shared by the scripts that remember what they did.

-- What a change may touch; kept with the change, so that a repeat can return the first result.
local MUTABLE = CONSTANTS.ORDER_SNAPSHOT
local HELD = CONSTANTS.POSITION_SNAPSHOT

-- The named fields as a list of texts, '' for one that is not there.
local function snapshot(fields, names)
  local values = {}
  for i, name in ipairs(names) do values[i] = fields[name] or '' end
  return values
end

-- Put a snapshot's values back over a record's.
local function rewind(fields, names, values)
  for i, name in ipairs(names) do
    fields[name] = values[i] ~= '' and values[i] or nil
  end
  return fields
end

-- What was remembered of a change: a list of so many texts and lists, or nil when it cannot be read.
local function recall(text, shape)
  local readable, memory = pcall(cjson.decode, text)
  if not readable or type(memory) ~= 'table' or #memory ~= #shape then return nil end
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
