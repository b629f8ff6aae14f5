-- Of the engine: indexes of the desk's own records, and of own fields of orders. An index is a sorted set whose scores are all 0,
-- so that the server keeps its members in the order of their bytes: keys of records or ids of orders, or in a sorted index the
-- order text of a value, ':' and a key. Beside it, with '@expiry' in its name, is a sorted set of those members whose records
-- expire, scored by that time in milliseconds since the epoch; where none expires there is no such set. An index expires with the
-- last of its records, and the set beside it with it: while a record of the index stays, both do, so that what has expired is
-- still told. Where a trader's header says that all records of a kind stay, see changes/schemas, these sets are not looked for.
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

-- Write an index as planned whose expiries have been read, or that several members enter or leave.
local function write_members(index)
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
  for _, member in ipairs(index.dead or {}) do
    if index.members[member] == nil then left[#left + 1] = member end
  end
  local size = index.size
  if #entered > 0 then size = size + redis.call('ZADD', index.key, unpack(entered)) end
  if #left > 0 then size = size - redis.call('ZREM', index.key, unpack(left)) end
  if index.kept == 0 and #expiring == 0 then return end
  for _, member in ipairs(lasting) do left[#left + 1] = member end
  write_expiry(index, expiring, left, size)
end

-- Write an index as planned: `members` has by each that changes its expiry, 'inf' for none, or false for one that leaves. A
-- key that has become empty is not touched again: while its slot migrates, the server would stop the script there.
local function write_own_index(index)
  local members = index.members
  local member, expiry = next(members)
  if index.kept == 0 and expiry == 'inf' and next(members, member) == nil then
    redis.call('ZADD', index.key, '0', member)
  elseif member then
    RARE.write_members(index)
  end
end

-- Read the set beside an index, and which of its members have expired.
local function load_beside(index, key)
  index.beside, index.kept = key, redis.call('ZCARD', key)
  if index.kept > 0 then
    index.dead = redis.call('ZRANGE', key, '-inf', integer_text(now_ms()), 'BYSCORE', 'LIMIT', 0, DEAD_AT_ONCE)
  end
end

-- Return an index as it is before the run, read so that it can be written, and unless all of its members are known to stay, the
-- set beside it too. `name` is what its key has before the value, if it has one, and `value` that with its ':', or ''.
local function load_own_index(name, value, all_stay)
  local key = base .. name .. value
  local index = indexes[key]
  if not index then
    index = { key = key, size = redis.call('ZCARD', key), kept = 0, members = {}, write = write_own_index }
    indexes[key] = index
  end
  if not (all_stay or index.beside) then RARE.load_beside(index, base .. name .. '@expiry' .. value) end
  return index
end
