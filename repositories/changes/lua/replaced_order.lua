-- Of the engine: an order as a replace in the short way leaves it, and what is written and said of that.
-- Uses changes/numbers

-- Make an order, given as it is stored, what a replace makes of it, whose event gets a number; `text` is the quantity by then, and
-- `quantity_text` what is asked for. Return the fields and values to write, what is remembered, the event with its JSON, and the price
-- that limits look at, '' for none; nil for an order with fields that few have, or that cannot be used.
local function replaced(flat, number, id, request_id, text, quantity_text, price, ts_ns)
  local size, at_price, at_updated, placed, placed_price, reference = #flat, nil, nil, nil, nil, ''
  for i = 27, size, 2 do
    local name = flat[i]
    if name == 'price' then
      at_price = i + 1
    elseif name == 'updated_ns' then
      at_updated = i + 1
    elseif name == 'placed_quantity' then
      placed = flat[i + 1]
    elseif name == 'placed_price' then
      placed_price = flat[i + 1]
    elseif name == 'reference_price' then
      reference = flat[i + 1]
    elseif string.sub(name, 1, 5) ~= 'fill:' then
      return nil
    end
  end
  local limit, version = at_price and flat[at_price] or '', flat[22]
  if limit == '' and price ~= '' or limit ~= '' and not string.find(limit, '^%-?%d+%.?%d*$') or #version > 15
    or not string.find(version, '^[1-9]%d*$') then
    return nil
  end

  local changes, written = {}, 0
  if not placed then
    if placed_price then return nil end
    placed = flat[14]
    changes[1], changes[2], written = 'placed_quantity', placed, 2
    flat[size + 1], flat[size + 2], size = 'placed_quantity', placed, size + 2
    if at_price then
      placed_price = limit
      changes[3], changes[4], written = 'placed_price', limit, 4
      flat[size + 1], flat[size + 2], size = 'placed_price', limit, size + 2
    end
  elseif not string.find(placed .. (placed_price or ''), '^[%d.-]+$') then
    return nil
  end
  version = integer_text(version + 1)
  changes[written + 1], changes[written + 2], changes[written + 3], changes[written + 4], changes[written + 5], changes[written + 6] =
    'quantity', text, 'version', version, 'updated_ns', ts_ns
  flat[14], flat[22] = text, version
  if at_updated then flat[at_updated] = ts_ns else flat[size + 1], flat[size + 2] = 'updated_ns', ts_ns end
  if price ~= '' then changes[written + 7], changes[written + 8], flat[at_price], limit = 'price', price, price, price end

  local symbol, side, status, filled, event, document = flat[6], flat[8], flat[16], flat[18], nil, limit
  if limit == '' then
    event = {
      'writer', ARGV.writer, 'count', ARGV.count, 'type', 'REPLACED', 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
      'status', status, 'quantity', text, 'filled_quantity', filled, 'request_id', request_id, 'totals', version .. ' ' .. flat[20],
    }
  else
    event = {
      'writer', ARGV.writer, 'count', ARGV.count, 'type', 'REPLACED', 'ts_ns', ts_ns, 'symbol', symbol, 'order_id', id, 'side', side,
      'status', status, 'quantity', text, 'price', limit, 'filled_quantity', filled, 'request_id', request_id, 'totals',
      version .. ' ' .. flat[20],
    }
    document = '","price":"' .. limit
  end
  document = not string.find(symbol .. id .. request_id, '["\\]') and '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol
    .. '","order_id":"' .. id .. '","side":"' .. side .. '","status":"' .. status .. '","quantity":"' .. text .. document
    .. '","filled_quantity":"' .. filled .. '","request_id":"' .. request_id
  -- The fields that few orders have are in the order of RARE_FIELDS.
  return changes, number .. ' REPLACED ' .. quantity_text .. ' ' .. price .. '  |["","","' .. placed .. '","' .. (placed_price or '')
    .. '","","","","","","",""]', event, document, limit ~= '' and limit or reference
end
