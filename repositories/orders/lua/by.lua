-- Return a page of one trader's orders in the order of their ids: those that are in every one of some indexes, and that have not
-- expired.
-- Uses orders/members, records/members
-- KEYS indexes...    of own fields, and after them those of a symbol and a status
-- Touches the orders that the indexes name, and the sets beside the indexes
-- ARGV base        what the keys of the trader's orders begin with
--      after       the id after which the page begins, '' for the first
--      limit       how many orders a page has
--      parts...    for each index of an own field '' and the key of the set beside it
-- Returns {cursor, id, order, …}: '' at the end, else the id after which the next page begins

-- Return whether an order has the values for which the indexes of own fields have it. The entries of one that has expired stay for
-- a while, and its id may have come back with other values.
local function is_as_listed(search, order)
  local held = {}
  for at = 1, #order, 2 do held[order[at]] = order[at + 1] end
  for _, index in ipairs(search.indexes) do
    local field, text = string.match(string.sub(index, #ARGV.base + 1), '^[^+]*(%+[^:]*):(.*)$')
    if held[field] ~= text then return false end
  end
  return true
end

local limit, looked, page = 2 * ARGV.limit + 1, 0, { '' }
local search = begin_search(KEYS, { unpack(ARGV, FIRST.parts) }, ARGV.after)
repeat
  local count = (limit - #page) / 2
  if #KEYS > 1 and not search.is_whole_read then count = AT_ONCE end
  looked = looked + count
  for _, id in ipairs(next_ids(search, ARGV.after, count)) do
    local order = redis.call('HGETALL', ARGV.base .. id)
    if #order > 0 and is_as_listed(search, order) then
      page[#page + 1], page[#page + 2] = id, order
      page[1] = id
      if #page == limit then return page end
    elseif #order == 0 and stays(search, id) then
      return redis.error_reply('TRYAGAIN the index ' .. search.key .. ' names order ' .. id .. ', which is not here')
    end -- else it has expired, and may have come back
  end
until search.is_whole_read or search.has_ended or looked >= MOST
page[1] = cursor_of(search)
return page
