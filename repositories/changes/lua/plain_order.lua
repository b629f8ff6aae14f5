-- Of the engine: an order as the short ways read it, which take one that has no more fields than a place and fills give it.

-- Return a decimal of few digits, as nearly all that are stored are; nil for all else.
local function short_decimal(text)
  if text == '0' then return 0 end
  if #text < 16 and string.find(text, '^%-?[1-9]%d*$') then return text + 0 end
  if #text < 20 and string.find(text, '^%-?%d+%.%d*[1-9]$') and not string.find(text, '^%-?0%d') then return text end
end

-- Return the same of what has no sign.
local function unsigned(text)
  return string.byte(text) ~= 45 and short_decimal(text) or nil
end

-- Return the fields and values of an order as they are stored, which begin with those of every order; nil where they do not, and for a
-- key that cannot be read.
local function stored_order(key)
  local flat = redis.pcall('HGETALL', key)
  if flat[1] ~= 'trader' or flat[3] ~= 'order_id' or flat[5] ~= 'symbol' or flat[7] ~= 'side' or flat[9] ~= 'type'
    or flat[11] ~= 'time_in_force' or flat[13] ~= 'quantity' or flat[15] ~= 'status' or flat[17] ~= 'filled_quantity'
    or flat[19] ~= 'filled_notional' or flat[21] ~= 'version' or flat[23] ~= 'ts_ns' or flat[25] ~= 'digest' then
    return nil
  end
  return flat
end

-- Return an order as it is stored, its limit price, '' for none, and whether it was changed before; nil for one that has more fields
-- than an order has that was filled at most, or remembers an entry, such as that of an execution.
local function plain_order(key, memory, entry)
  local flat = stored_order(key)
  if not flat then return nil end
  local price, is_changed = '', flat[22] ~= '1'
  for i = 27, #flat, 2 do
    local name = flat[i]
    if name == 'price' then
      price = flat[i + 1]
      if not string.find(price, '^%-?%d+%.?%d*$') then return nil end
    elseif name == 'updated_ns' then
      is_changed = true
    elseif name == entry or string.sub(name, 1, 5) ~= 'fill:' and name ~= 'stop_price' and name ~= 'reference_price' then
      return nil
    end
  end
  if is_changed and redis.pcall('HGET', memory, entry) then return nil end
  return flat, price, is_changed
end

-- Make of an order as `plain_order` returns it one that was changed at a time by what is remembered under an entry: in the order itself
-- where it is the first change of it.
local function set_changed(flat, is_changed, ts_ns, entry, remembered)
  local size = #flat
  if is_changed then
    for i = 27, size, 2 do
      if flat[i] == 'updated_ns' then
        flat[i + 1] = ts_ns
        return
      end
    end
    flat[size + 1], flat[size + 2] = 'updated_ns', ts_ns
  else
    flat[size + 1], flat[size + 2], flat[size + 3], flat[size + 4] = 'updated_ns', ts_ns, entry, remembered
  end
end
