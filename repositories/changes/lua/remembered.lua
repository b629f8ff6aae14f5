-- Of the engine: what is remembered of the changes of an order, so that each has one effect. That of the first change is a field
-- of the order itself where it is short: nearly all are, and most orders have no other. All else is in a hash beside the order.
-- Uses changes/run

local RARE_FIELDS = CONSTANTS.RARE_FIELDS
local SHORT = 48 -- bytes: a server keeps a hash with a value of more than 64 in another form, which takes three times the room

-- Return what is remembered of a change of an order, nil when nothing is. What is remembered of the first change of an order goes
-- into the order where the change is plain: it gives no text, ids or details, and what it asks for is short. Of any other the hash
-- beside the order is read here, which proves that it can be written.
local function recall(order, name, is_plain)
  local flat, at, remembered = order.flat, order.at, order.remembered
  if at[name] then return flat[at[name]] end
  if remembered and remembered[name] then return remembered[name] end
  if is_plain and flat[at.version] == '1' and not (at.updated_ns or at.text or at.marks) and #name <= SHORT then return nil end
  order.is_recalled = true
  return redis.call('HGET', order.memory, name) or nil
end

-- Remember something in the hash beside an order, where something was recalled before.
local function remember_beside(order, name, text)
  order.remembered = order.remembered or {}
  order.remembered[name] = text
end

-- Return the fields of an order that few orders have, as text. The others of a change's first result are in its event.
local function rare_fields(order)
  local values = {}
  for i, name in ipairs(RARE_FIELDS) do values[i] = value_of(order, name) or '' end
  return cjson.encode(values)
end

-- Remember a change of an order, which was recalled before. With its content, which begins with the number of its event, go the
-- fields that few orders have, if the order has one.
local function remember(order, name, content)
  local at = order.at
  local rare = (at.text or at.placed_quantity or at.revision or at.marks or at.pending or at.client_order_id
    or at.aliases or at.venue_order_id) and RARE.rare_fields(order) or ''
  if order.is_recalled then return remember_beside(order, name, content .. '|' .. rare) end
  set(order, { name, content .. '|' .. rare })
end

-- Return the parts of what is remembered: the number of the change's event, its content, and the rare fields of its order.
local function parts_of(text)
  return string.match(text, '^(%d+) ([^|]+)|(.*)$')
end

-- Return the reply to a request that is remembered, given what it asks for.
local function repeat_of_request(order, entry, recorded, content)
  local number, first, rare = parts_of(recorded)
  if not number then return { 'corrupt', order.at[entry] and order.key or order.memory, entry, recorded } end
  if first ~= content then return { 'duplicate' } end
  return { 'repeat', number, state_of(order), rare, event_of(number) }
end
