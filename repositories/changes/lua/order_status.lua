-- Of the engine: the status of an order by FIX's precedence, and what is open of it. Beside the quantities and the end of an order
-- two fields decide: `marks`, the names of statuses that hold with others, and `pending`, a JSON list of requests that are not
-- answered yet, each a list: its status, its client_order_id, time, quantity, price, stop price and text.
-- Uses changes/decimals, changes/lifetimes, changes/records

local OUTLIVE_THE_DAY = CONSTANTS.OUTLIVE_THE_DAY
local TAKE_PRICE = CONSTANTS.TAKE_PRICE -- the types of orders that may have a price, and need none
local TAKE_STOP_PRICE = CONSTANTS.TAKE_STOP_PRICE

-- Return whether some marks have one.
local function has_mark(marks, mark)
  return marks and string.find(' ' .. marks .. ' ', ' ' .. mark .. ' ', 1, true) ~= nil
end

-- Return marks without one of them.
local function without_mark(marks, mark)
  local kept = {}
  for one in string.gmatch(marks or '', '%S+') do
    if one ~= mark then kept[#kept + 1] = one end
  end
  return table.concat(kept, ' ')
end

-- Return the status of an order that has not ended, given its marks, pending requests, and what is filled of its quantity.
local function status_by(marks, pending, filled, quantity)
  if pending and pending ~= '' then
    return string.find(pending, '["PENDING_CANCEL",', 1, true) and 'PENDING_CANCEL' or 'PENDING_REPLACE'
  end
  if has_mark(marks, 'DONE_FOR_DAY') then return 'DONE_FOR_DAY' end
  if not is_less(filled, quantity) then return 'FILLED' end
  if has_mark(marks, 'STOPPED') then return 'STOPPED' end
  if has_mark(marks, 'SUSPENDED') then return 'SUSPENDED' end
  if is_less(0, filled) then return 'PARTIALLY_FILLED' end
  return has_mark(marks, 'PENDING_NEW') and 'PENDING_NEW' or 'NEW'
end

-- Return the status of an order that has not ended, given what is filled of its quantity.
local function status_of(order, filled, quantity)
  return status_by(value_of(order, 'marks'), value_of(order, 'pending'), filled, quantity)
end

-- Return what is open of an order with a status and marks: 0 once it has ended, or its day has.
local function open_by(order, marks, status, filled, quantity)
  if not OPEN_STATUSES[status] or not is_less(filled, quantity) then return 0 end
  if has_mark(marks, 'DONE_FOR_DAY') and not OUTLIVE_THE_DAY[value_of(order, 'time_in_force')] then return 0 end
  return sum(quantity, negative(filled))
end

-- Return what is open of an order with a status.
local function open_rest(order, status, filled, quantity)
  return open_by(order, value_of(order, 'marks'), status, filled, quantity)
end

-- Return the open quantity for an event, where it is not what status and quantities say; else ''.
local function stated_open(order, status, filled, quantity)
  local is_open = OPEN_STATUSES[status] and is_less(filled, quantity)
  return is_open and open_rest(order, status, filled, quantity) == 0 and '0' or ''
end

-- Return the pending requests of an order as a list.
local function pending_of(order)
  return cjson.decode(value_of(order, 'pending') or '[]')
end

-- Return a list of pending requests as text; '' for none.
local function pending_text(list)
  return #list > 0 and cjson.encode(list) or ''
end

-- Take the request of a client_order_id out of a list, '' for the only one, if need be of one status; return the refusal when
-- it is not known which.
local function answer_pending(list, client_id, wanted)
  local at, count
  count = 0
  for i, one in ipairs(list) do
    if (not wanted or one[1] == wanted) and (client_id == '' or one[2] == client_id) then
      at, count = i, count + 1
    end
  end
  if count > 1 then return { 'several' } end
  if at then table.remove(list, at) end
end
