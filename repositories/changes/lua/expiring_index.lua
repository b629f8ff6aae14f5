-- Shared: indexes whose entries die with their records.
-- Uses changes/clock, changes/numbers

-- An index as it is before it is written: how many of its entries will die, and where some will, how many there are in all.
-- Reading it proves that it can be written.
local function read_index(index)
  local mortal = redis.call('ZCOUNT', index, '-inf', '(inf')
  return { key = index, mortal = mortal, size = mortal > 0 and redis.call('ZCARD', index) }
end

local function expire_at(key, expiry)
  if expiry == 'inf' then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIREAT', key, expiry)
  end
end

-- Give an index that is not empty the expiry of its longest-lived entry.
local function renew_index_expiry(index)
  expire_at(index, redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2])
end

-- An index entry dies with its order: its score is the order's expiry, and the whole index expires at its highest score.
local function add_to_index(index, id, expiry)
  redis.call('ZADD', index.key, expiry, id)
  if index.mortal > 0 then redis.call('ZREMRANGEBYSCORE', index.key, '-inf', integer_text(now_ms())) end
  if expiry ~= 'inf' then
    renew_index_expiry(index.key)
  elseif index.mortal > 0 then
    expire_at(index.key, expiry)
  end
end

local function remove_from_index(index, id)
  redis.call('ZREM', index.key, id)
  if index.mortal > 0 and index.size > 1 then renew_index_expiry(index.key) end
end
