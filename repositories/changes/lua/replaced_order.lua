-- Of the engine: an order as a replace in the short way leaves it, and what is written and said of that.
-- Uses changes/numbers

-- Make an order, given as it is stored, what a replace makes of it, whose event gets a number; `text` is the quantity by then, and
-- `quantity_text` what is asked for. Return the fields and values to write, what is remembered, the event with its JSON, the price that
-- limits look at, '' for none, and the answer; nil for an order with fields that few have, or that cannot be used.
local function replaced(flat, number, id, request_id, text, quantity_text, price, ts_ns)
  local at_price, at_updated, placed, placed_price, reference = nil, nil, nil, nil, ''
  for i = 27, #flat, 2 do
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
  if not at_price and price ~= '' or at_price and not string.find(limit, '^%-?%d+%.?%d*$') or #version > 15
    or not string.find(version, '^[1-9]%d*$') then
    return nil
  end

  version = integer_text(version + 1)
  local asked, changes, more = price ~= '' and price or limit, nil, ''
  if placed then
    if not string.find(placed .. (placed_price or ''), '^[%d.-]+$') then return nil end
    changes = at_price and { 'quantity', text, 'version', version, 'updated_ns', ts_ns, 'price', asked }
      or { 'quantity', text, 'version', version, 'updated_ns', ts_ns }
  elseif placed_price then
    return nil
  elseif at_price then
    placed, placed_price = flat[14], limit
    changes = {
      'quantity', text, 'version', version, 'placed_quantity', placed, 'placed_price', limit, 'updated_ns', ts_ns, 'price', asked,
    }
    more = '\nplaced_quantity\n' .. placed .. '\nplaced_price\n' .. limit
  else
    placed = flat[14]
    changes = { 'quantity', text, 'version', version, 'placed_quantity', placed, 'updated_ns', ts_ns }
    more = '\nplaced_quantity\n' .. placed
  end
  flat[14], flat[22], limit = text, version, asked
  if at_price then flat[at_price] = asked end
  if at_updated then flat[at_updated] = ts_ns else more = more .. '\nupdated_ns\n' .. ts_ns end

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
    .. '","","","","","","",""]', event, document, limit ~= '' and limit or reference,
    { 'applied', number, table.concat(flat, '\n') .. more }
end
