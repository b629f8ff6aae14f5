-- Shared: the fees of a position, by currency: a JSON object of amounts other than 0; '' is the currency of the prices.
-- Uses changes/records

-- Return fees as they are written, '' for none.
local function fees_text(fees)
  local names, parts = {}, {}
  for name, amount in pairs(fees) do
    if amount ~= 0 then names[#names + 1] = name end
  end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = '"' .. name .. '":"' .. decimal_text(fees[name]) .. '"' end
  return #parts > 0 and '{' .. table.concat(parts, ',') .. '}' or ''
end

-- Return the fees of a record; note a problem when they are none.
local function fees_in(record)
  local text = value_of(record, 'fees')
  local went_well, values = pcall(cjson.decode, text)
  local fees = {}
  for name, amount in pairs(went_well and type(values) == 'table' and values or {}) do
    if type(name) ~= 'string' or type(amount) ~= 'string' or not RARE.is_decimal(amount, AMOUNT_DIGITS, AMOUNT_PLACES) then break end
    fees[name] = decimal(amount)
  end
  if text == '' or fees_text(fees) ~= text then note_problem(record, 'fees') end
  return fees
end

-- Return fees after the fee of some details is taken back, and that of others charged, both as tables; nil for ones that have
-- too many digits.
local function charged(fees, before, after)
  local made = {}
  for name, amount in pairs(fees or {}) do made[name] = amount end
  local function charge(values, takes_back)
    if not values or not values.fee then return end
    local name, fee = values.fee_currency or '', decimal(values.fee)
    made[name] = sum(made[name] or 0, takes_back and negative(fee) or fee)
  end
  charge(before, true)
  charge(after, false)
  for _, amount in pairs(made) do
    if is_too_large(amount, AMOUNT_DIGITS) then return nil end
  end
  return made
end

-- Add fees to the fields of a position, where there are any.
local function add_fees(fields, fees)
  local text = fees_text(fees)
  if text == '' then return end
  fields.fees, fields[#fields + 1] = text, 'fees'
  fields[#fields + 1] = text
end
