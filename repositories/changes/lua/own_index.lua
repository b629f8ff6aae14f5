-- Of the engine: indexes of the desk's own records, and of own fields of orders. An index is a sorted set whose scores are all 0,
-- so that the server keeps its members in the order of their bytes: keys of records or ids of orders, or in a sorted index the
-- order text of a value, ':' and a key. Beside it, with '@expiry' in its name, is a sorted set of those members whose records
-- expire, scored by that time in milliseconds since the epoch; where none expires there is no such set. An index expires with the
-- last of its records, and the set beside it with it: while a record of the index stays, both do, so that what has expired is
-- still told.
-- Uses changes/run

local DEAD_AT_ONCE = 1000 -- the expired members that one change takes out of an index, at most

-- Write the set beside an index, and give both the expiry of the member that lives longest; none while a member stays.
local function write_expiry(index, expiring, gone, size)
  local kept = index.kept
  if #expiring > 0 then kept = kept + redis.call('ZADD', index.beside, unpack(expiring)) end
  if #gone > 0 and kept > 0 then kept = kept - redis.call('ZREM', index.beside, unpack(gone)) end
  local last = kept > 0 and size == kept and redis.call('ZRANGE', index.beside, -1, -1, 'WITHSCORES')[2]
  if last then
    redis.call('PEXPIREAT', index.beside, last)
    redis.call('PEXPIREAT', index.key, last)
  else
    if kept > 0 then redis.call('PERSIST', index.beside) end
    if size > 0 then redis.call('PERSIST', index.key) end
  end
end

-- Write an index as planned: `members` has by each that changes its expiry, 'inf' for none, or false for one that leaves. A
-- key that has become empty is not touched again: while its slot migrates, the server would stop the script there.
local function write_own_index(index)
  if not next(index.members) then return end
  local entered, expiring, left, lasting = {}, {}, {}, {}
  for member, expiry in pairs(index.members) do
    if not expiry then
      left[#left + 1] = member
    else
      entered[#entered + 1], entered[#entered + 2] = '0', member
      if expiry ~= 'inf' then
        expiring[#expiring + 1], expiring[#expiring + 2] = expiry, member
      else
        lasting[#lasting + 1] = member
      end
    end
  end
  for _, member in ipairs(index.dead) do
    if index.members[member] == nil then left[#left + 1] = member end
  end
  local size = index.size
  if #entered > 0 then size = size + redis.call('ZADD', index.key, unpack(entered)) end
  if #left > 0 then size = size - redis.call('ZREM', index.key, unpack(left)) end
  if index.kept == 0 and #expiring == 0 then return end
  for _, member in ipairs(lasting) do left[#left + 1] = member end
  RARE.write_expiry(index, expiring, left, size)
end

-- Return an index as it is before the run, with the set beside it, read so that both can be written. `name` is what its key has
-- before the value, if it has one, and `value` that with its ':', or ''.
local function load_own_index(name, value)
  local key = base .. name .. value
  local index = indexes[key]
  if index then return index end
  index = {
    key = key, beside = base .. name .. '@expiry' .. value, size = redis.call('ZCARD', key), members = {}, write = write_own_index,
  }
  index.kept = redis.call('ZCARD', index.beside)
  index.dead = index.kept > 0
    and redis.call('ZRANGE', index.beside, '-inf', integer_text(now_ms()), 'BYSCORE', 'LIMIT', 0, DEAD_AT_ONCE) or {}
  indexes[key] = index
  return index
end
