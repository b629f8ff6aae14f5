-- Of the engine: the other ids of an order, ClOrdIDs of requests and the venue's OrderIDs, each of which is a key that names the
-- order and dies with it. What is remembered of an order has a field for each, and the order their number.
-- Uses changes/run, changes/remembered

local MOST_AT_ONCE = 4000 -- the keys that one command removes

-- Return the refusal of a request whose ids another order has, nil when it has none of them.
local function clash_of(order_id, ...)
  for _, id in ipairs({ ... }) do
    local alias = id ~= '' and id ~= order_id and load_alias(id)
    local holder = alias and alias.order_id
    if alias and not holder then
      local other = orders[id]
      if other and #other.flat > 0 or not other and redis.call('HLEN', base .. 'order:' .. id) > 0 then holder = id end
    end
    if holder and holder ~= order_id then return { 'ambiguous', id, holder } end
  end
end

-- Return the refusal of an execution that says another side or symbol than its order has, or a venue's id of another order, as
-- `contradiction` does; or nil and the venue's id, nil for none. It stands behind a tab.
local function contradicted_by(order, order_id, stated)
  local about, venue_id = string.match(stated, '^([^\t]*)\t?(.*)$')
  local refused = contradiction(order, about)
  if refused or venue_id == '' then return refused end
  return clash_of(order_id, venue_id), venue_id
end

-- Give an order ids that no other order has, by the event of a number.
local function take_ids(order, order_id, number, ...)
  for _, id in ipairs({ ... }) do
    local alias = id ~= '' and id ~= order_id and load_alias(id)
    if alias and not alias.order_id then
      alias.order_id, alias.is_new = order_id, true
      remember_beside(order, 'alias:' .. id, number)
      set(order, { 'aliases', decimal_text(sum(decimal(value_of(order, 'aliases') or '0'), 1)) })
    end
  end
end

-- Give an order the venue's id that an execution brings, by the event of a number.
local function take_venue_id(order, order_id, number, venue_id)
  set(order, { 'venue_order_id', venue_id })
  take_ids(order, order_id, number, venue_id)
end

-- Read the stored ids of an order, whose expiry will be its own.
local function load_chain(order, order_id)
  if order.chain then return end
  order.chain = {}
  for _, name in ipairs(redis.call('HKEYS', order.memory)) do
    local alias = string.sub(name, 1, 6) == 'alias:' and load_alias(string.sub(name, 7))
    if alias and alias.order_id == order_id and not alias.is_new then order.chain[#order.chain + 1] = alias end
  end
end

-- Write the ids that orders have got.
local function write_aliases()
  for _, alias in pairs(aliases) do
    if alias.is_new then
      redis.call('SET', alias.key, alias.order_id)
      local expiry = orders[alias.order_id].expiry
      if expiry and expiry ~= 'inf' then expire_at(alias.key, expiry) end
    end
  end
end

-- Remove what one command has not.
local function remove_rest()
  for first = MOST_AT_ONCE + 1, #deleted, MOST_AT_ONCE do
    redis.call('UNLINK', unpack(deleted, first, math.min(first + MOST_AT_ONCE - 1, #deleted)))
  end
end
