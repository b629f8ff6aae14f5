-- Read other ids of orders, each with what is stored of the order that it names, at one moment.
-- Uses audit/read_keys
-- KEYS events
-- Touches the keys of the ids, the orders that they name, and what is recorded with these
-- ARGV base      what the trader's keys begin with
--      ids...
-- Returns {last sequence, alias…}; each {the order that it names or '', expiry, 1 when that has it recorded,
--         1 for an order with this id}

local found, base = { last_sequence(KEYS.events) }, ARGV.base
for i = FIRST.ids, #ARGV do
  local key = base .. 'alias:' .. ARGV[i]
  local named = read_key('GET', key) or ''
  local is_recorded = named ~= '' and read_key('HGET', base .. 'applied:' .. named, 'alias:' .. ARGV[i])
    and redis.call('EXISTS', base .. 'order:' .. named) or 0
  found[#found + 1] = { named, redis.call('PEXPIRETIME', key), is_recorded, redis.call('EXISTS', base .. 'order:' .. ARGV[i]) }
end
return found
