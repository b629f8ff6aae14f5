-- Of the engine: what a new order reads of the position of its symbol.

-- Return what is open of a trader's orders in a symbol, bought and sold, and the multiplier; and what limits need, as far as the
-- size of the header's text says that they do: the quantity, and the symbol's own limits. Of a key that cannot be read they are nil, as
-- of one that is not there; reading all of it says why.
local function read_open(key, marker)
  local size = marker and #marker or 0
  if size == 0 or size == 24 then
    return unpack(redis.pcall('HMGET', key, 'open_buy_quantity', 'open_sell_quantity', 'multiplier'))
  elseif size == 48 then
    return unpack(redis.pcall('HMGET', key, 'open_buy_quantity', 'open_sell_quantity', 'multiplier', 'quantity'))
  elseif size == 8 or size == 32 then
    local buy, sell, multiplier, own =
      unpack(redis.pcall('HMGET', key, 'open_buy_quantity', 'open_sell_quantity', 'multiplier', 'limits'))
    return buy, sell, multiplier, nil, own
  end
  return unpack(redis.pcall('HMGET', key, 'open_buy_quantity', 'open_sell_quantity', 'multiplier', 'quantity', 'limits'))
end

-- Return a position's quantity as a decimal where that has few digits, else nil.
local function short_quantity(text)
  if not text or #text > 15 then return nil end
  if string.find(text, '^%-?%d+$') then return text + 0 end
  return string.find(text, '^%-?%d+%.%d*[1-9]$') and not string.find(text, '^%-?0%d') and text or nil
end
