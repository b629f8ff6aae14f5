-- Of the engine: limits as doubles, by which nearly every order is known to be within them; limits.lua says what they are.

local UNLIMITED = 1e999

-- Return the header's limits, given as they are before, after an order that is within all of them for certain, and the symbol's, nil
-- where these stay; nil where they have to be looked at one by one. Nearly all orders are of few digits and within limits of few
-- digits, which doubles tell. Of what is no number nothing is certain.
-- whole       of the header
-- own, held   the limits and the quantity of the position, nil where they were not read
local function limits_when_within(whole, own, held, counted, open, quantity, price)
  local size, now, passed_own = #whole, nil, nil
  if size == 24 then
    local second, passed, rate = struct.unpack('<ddd', whole)
    now = redis.call('TIME')[1] + 0
    passed = second == now and passed + 1 or 1
    return passed <= rate and struct.pack('<ddd', now, passed, rate) or nil
  elseif own and #own == 32 and (size == 8 or size == 32) then
    -- Orders per second and nothing else, as above: what follows would say the same, in more steps.
    local own_second, own_passed, own_rate, change = struct.unpack('<dddc8', own)
    local changed, second, passed, rate = whole, nil, nil, nil
    if size == 32 then second, passed, rate, changed = struct.unpack('<dddc8', whole) end
    if change ~= changed then return nil end
    if not rate and own_rate == UNLIMITED then return whole end
    now = redis.call('TIME')[1] + 0
    if own_rate ~= UNLIMITED then
      own_passed = own_second == now and own_passed + 1 or 1
      if not (own_passed <= own_rate) then return nil end
      passed_own = struct.pack('<dddc8', now, own_passed, own_rate, change)
    end
    if not rate then return whole, passed_own end
    passed = second == now and passed + 1 or 1
    return passed <= rate and struct.pack('<dddc8', now, passed, rate, change) or nil, passed_own
  end
  local greatest, slack = nil, 0
  if open + 0 ~= open or quantity + 0 ~= quantity or held and held + 0 ~= held then
    -- Decimals: with what the nearest doubles may miss, many times over.
    open, quantity, held, slack = open + 0, quantity + 0, held and held + 0, 1e-9
  end
  local exposure = held and (counted == 'BUY' and open + held or open - held) + (open + math.abs(held)) * slack
  local behind = size % 24
  if behind ~= 0 then
    local own_size = own and #own
    if behind ~= 8 and behind ~= 9 or own_size ~= 32 and own_size ~= 56 then return nil end
    local own_second, own_passed, own_rate, change, order, notional, own_greatest =
      struct.unpack(own_size == 32 and '<dddd' or '<ddddddd', own)
    if change ~= struct.unpack('<d', whole, size - behind + 1) then return nil end
    if own_size == 56 then
      if not (quantity * (1 + slack) <= order) then return nil end
      if notional ~= UNLIMITED then
        local value = price ~= '' and quantity * price
        if not value or not (value <= notional and -value <= notional) then return nil end
      end
      if own_greatest ~= UNLIMITED then
        if not exposure or not (exposure <= own_greatest) then return nil end
        greatest = UNLIMITED
      end
    end
    if own_rate ~= UNLIMITED then
      now = redis.call('TIME')[1] + 0
      own_passed = own_second == now and own_passed + 1 or 1
      if not (own_passed <= own_rate) then return nil end
      passed_own = own_size == 32 and struct.pack('<dddd', now, own_passed, own_rate, change)
        or struct.pack('<dd', now, own_passed) .. string.sub(own, 17)
    end
    size = size - behind
    if size == 0 then return whole, passed_own end
  end
  local second, passed, rate
  if size == 24 then
    second, passed, rate = struct.unpack('<ddd', whole)
  elseif size == 48 then
    local order, notional, own_greatest
    second, passed, rate, order, notional, own_greatest = struct.unpack('<dddddd', whole)
    if not (quantity * (1 + slack) <= order) then return nil end
    if notional ~= UNLIMITED then
      local value = price ~= '' and quantity * price
      if not value or not (value <= notional and -value <= notional) then return nil end
    end
    greatest = greatest or own_greatest
    if greatest ~= UNLIMITED and not (exposure and exposure <= greatest) then return nil end
  else
    return size == 0 and whole or nil
  end
  if rate == UNLIMITED then return whole, passed_own end
  now = now or redis.call('TIME')[1] + 0
  passed = second == now and passed + 1 or 1
  if not (passed <= rate) then return nil end
  return struct.pack('<dd', now, passed) .. string.sub(whole, 17), passed_own
end
