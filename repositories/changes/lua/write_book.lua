-- Of the engine: write what a run has changed of orders, positions and limits. A script whose steps change none is built without.
-- Uses changes/run, changes/expiring_index, changes/aliases, changes/limits

-- Write orders and positions as planned, other ids of orders, and limits; indexes, which may become empty, are written after these.
local function write_book()
  for _, order in pairs(orders) do
    if order.is_new then
      redis.call('HSET', order.key, unpack(order.flat))
    elseif order.changes then
      redis.call('HSET', order.key, unpack(order.changes))
      for _, name in ipairs(order.cleared or {}) do
        if not order.at[name] then redis.call('HDEL', order.key, name) end
      end
    end
    if order.remembered then
      for name, text in pairs(order.remembered) do redis.call('HSET', order.memory, name, text) end
      if order.memory_expiry then expire_at(order.memory, order.memory_expiry) end
    end
    if order.expiry and (order.expiry ~= 'inf' or not order.is_new) then
      expire_at(order.key, order.expiry)
      if order.remembered then expire_at(order.memory, order.expiry) end
      for _, alias in ipairs(order.chain or {}) do expire_at(alias.key, order.expiry) end
    end
  end
  for symbol, position in pairs(positions) do
    if position.is_changed and position.is_part then
      if position.counted then
        redis.call('HSET', position.key, 'open_buy_quantity', decimal_text(position.BUY), 'open_sell_quantity',
          decimal_text(position.SELL), 'limits', position.counted)
      else
        redis.call('HSET', position.key, 'open_buy_quantity', decimal_text(position.BUY), 'open_sell_quantity',
          decimal_text(position.SELL))
      end
    elseif position.is_changed then
      if position.is_new then
        redis.call('SADD', position.account and base .. 'account_positions' or KEYS.positions, position.listed_as or symbol)
      end
      local fields = #events == 1 and position.fields or RARE.fields_of(position) -- no step has come after that of the fields
      redis.call('HSET', position.key, unpack(fields))
      if position.fees and not fields.fees then redis.call('HDEL', position.key, 'fees') end
      if position.counted then redis.call('HSET', position.key, 'limits', position.counted) end
      if position.has_lost_multiplier then redis.call('HDEL', position.key, 'multiplier') end
    end
  end
  if aliases then RARE.write_aliases() end
  if deleted and #deleted > MOST_AT_ONCE then RARE.remove_rest() end
  if limits then RARE.write_limits() end
  if turned_to then redis.call('HSET', KEYS.book, 'trading', turned_to) end
end
