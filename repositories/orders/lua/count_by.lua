-- Count the live orders that are in every one of some indexes: those that have not expired.
-- Uses changes/clock, changes/numbers, orders/members
-- KEYS indexes...
-- Returns number

local smallest, others = smallest_of(KEYS)
if #others == 0 then return redis.call('ZCOUNT', smallest, '(' .. integer_text(now_ms()), '+inf') end
local count = 0
for _, id in ipairs(live_keys(smallest)) do
  if is_in_all(others, id) then count = count + 1 end
end
return count
