-- Return a page of one trader's orders in the order of their ids: those that are in every one of some indexes, and that have not
-- expired.
-- Uses orders/members
-- KEYS indexes...
-- Touches the orders that the indexes name
-- ARGV base    what the keys of the trader's orders begin with
--      after   the id after which the page begins, '' for the first
--      limit   how many orders a page has
-- Returns {id, order, …}

local found, limit, after = {}, tonumber(ARGV.limit), ARGV.after
local smallest, others = smallest_of(KEYS)
repeat
  local ids, last = keys_after(smallest, after, limit - #found / 2)
  for _, id in ipairs(ids) do
    local order = is_in_all(others, id) and redis.call('HGETALL', ARGV.base .. id)
    if order and #order > 0 then
      found[#found + 1], found[#found + 2] = id, order
    elseif order and redis.call('ZSCORE', smallest, id) == 'inf' then
      return redis.error_reply('TRYAGAIN the index ' .. smallest .. ' names order ' .. id .. ', which is not here')
    end -- else it has expired, and the clock has gone back since
  end
  after = last
until not after or #found >= limit * 2
return found
