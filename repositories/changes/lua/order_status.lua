-- Of the engine: the status of an order by FIX's precedence, and what is open of it. Beside the quantities and the end of an order
-- two fields decide: `marks`, the names of statuses that hold with others, and `pending`, a JSON list of requests that are not
-- answered yet, each a list: its status, its client_order_id, time, quantity, price, stop price and text.
-- Uses changes/decimals, changes/lifetimes, changes/records

local MARKS, OUTLIVE_THE_DAY, TIMES_IN_FORCE = CONSTANTS.MARKS, CONSTANTS.OUTLIVE_THE_DAY, CONSTANTS.TIMES_IN_FORCE
local PENDING_PARTS = 7 -- of each pending request
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

-- Return whether a text is a list of marks, each once.
local function are_marks(text)
  local seen = {}
  for mark in string.gmatch(text .. ' ', '([^ ]*) ') do
    if not MARKS[mark] or seen[mark] then return false end
    seen[mark] = true
  end
  return true
end

-- Return whether one is a pending request whose client_order_id none before it has.
local function is_pending(one, seen)
  if type(one) ~= 'table' or #one ~= PENDING_PARTS or one[1] ~= 'PENDING_CANCEL' and one[1] ~= 'PENDING_REPLACE' then
    return false
  end
  for i, part in ipairs(one) do
    local is_number = i > 3 and i < 7 and part ~= ''
    if type(part) ~= 'string' or is_number and not string.find(part, '^%-?%d+%.?%d*$') then return false end
  end
  local id, is_new = one[2], not seen[one[2]]
  seen[id] = true
  return is_new and id ~= '' and string.find(one[3], '^%d+$') ~= nil
end

-- Return whether a text is a list of pending requests as a book writes it.
local function are_pending(text)
  local went_well, list = pcall(cjson.decode, text)
  if not went_well or type(list) ~= 'table' or #list == 0 or cjson.encode(list) ~= text then return false end
  local seen = {}
  for _, one in ipairs(list) do
    if not is_pending(one, seen) then return false end
  end
  return true
end

-- Note a problem with marks or pending requests that no book writes, and with what decides beside them.
local function check_states(order)
  local marks, pending = value_of(order, 'marks'), value_of(order, 'pending')
  if marks and not are_marks(marks) then note_problem(order, 'marks') end
  if pending and not are_pending(pending) then note_problem(order, 'pending') end
  if marks and not TIMES_IN_FORCE[value_of(order, 'time_in_force')] then note_problem(order, 'time_in_force') end
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
  if OPEN_STATUSES[status] and is_less(quantity, filled) then return '0' end -- past its quantity
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
