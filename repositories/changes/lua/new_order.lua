-- Of the engine: a new order as it is stored, and its event.

-- Return the fields and values of a new order as a list.
local function fields_of_new(id, symbol, side, kind, time_in_force, quantity, price, stop_price, text, ts_ns, digest, reference,
  status)
  local flat = {
    'trader', ARGV.trader, 'order_id', id, 'symbol', symbol, 'side', side, 'type', kind, 'time_in_force', time_in_force,
    'quantity', quantity, 'status', status, 'filled_quantity', '0', 'filled_notional', '0', 'version', '1',
    'ts_ns', ts_ns, 'digest', digest, 'price', price,
  }
  local size = 28
  if price == '' then flat[27], flat[28], size = nil, nil, 26 end
  if stop_price ~= '' then flat[size + 1], flat[size + 2], size = 'stop_price', stop_price, size + 2 end
  if text ~= '' then flat[size + 1], flat[size + 2], size = 'text', text, size + 2 end
  if reference ~= '' then flat[size + 1], flat[size + 2], size = 'reference_price', reference, size + 2 end
  if status ~= 'NEW' then flat[size + 1], flat[size + 2] = 'marks', status end
  return flat
end

-- Add the fields of what was ordered that few orders have to a new order, given in JSON.
local function add_terms(flat, json)
  local terms = cjson.decode(json)
  for _, name in ipairs(CONSTANTS.TERMS) do
    if terms[name] then flat[#flat + 1], flat[#flat + 2] = name, terms[name] end
  end
end

-- Add own fields to a new order, given the names of those that have an index, and all in JSON.
local function add_own_fields(flat, names, json)
  flat[#flat + 1], flat[#flat + 2] = CONSTANTS.OWN_NAMES, names
  for name, text in pairs(json == '' and {} or cjson.decode(json)) do
    flat[#flat + 1], flat[#flat + 2] = '+' .. name, text
  end
end

-- Return the parts of the own fields that a step gives: their digest, the names of those that have an index, and their JSON.
local function own_parts(own)
  return string.match(own, '^([^|]*)|([^|]*)|(.*)$')
end

-- Return the fields and values of the event of a new order, and its fields in JSON, false where a value needs an escape.
local function event_of_new(id, symbol, side, quantity, price, text, ts_ns, status)
  local event = {
    'writer', ARGV.writer, 'count', ARGV.count, 'type', status, 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id,
    'side', side, 'status', status, 'quantity', quantity, 'price', price,
  }
  local document = '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","order_id":"' .. id .. '","side":"' .. side
    .. '","status":"' .. status .. '","quantity":"' .. quantity
  local size = 20
  if price == '' then event[19], event[20], size = nil, nil, 18 else document = document .. '","price":"' .. price end
  if text ~= '' then event[size + 1], event[size + 2], document = 'text', text, document .. '","text":"' .. text end
  local names = symbol .. id .. text
  if string.find(names, '"', 1, true) or string.find(names, '\\', 1, true) then document = false end
  return event, document
end

-- Return whether terms of an order touch nothing but the order, given in JSON.
local function are_plain(terms)
  return not (string.find(terms, '"account"', 1, true) or string.find(terms, '"multiplier"', 1, true))
end

-- Add what few orders have to a new order and its event: terms in JSON, and own fields, nil for none, none of which has an index.
local function add_more(flat, event, terms, own)
  if terms ~= '' then
    add_terms(flat, terms)
    event[#event + 1], event[#event + 2] = 'terms', terms
  end
  if own then
    add_own_fields(flat, '', own)
    if own ~= '' then event[#event + 1], event[#event + 2] = 'own', own end
  end
end
