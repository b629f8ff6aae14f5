-- Shared: indexes whose entries expire with their records. An index is a sorted set of ids. The score of an entry is the time
-- at which its record expires, in milliseconds since the epoch, or 'inf'; the whole index expires at its highest score.
-- Uses changes/clock, changes/numbers

-- Return an index as it is before a change: its key, how many of its entries expire, and if any do, its size. If the key
-- holds something else, this fails the script before it has written anything.
local function read_index(key)
  local expiring = redis.call('ZCOUNT', key, '-inf', '(inf')
  return { key = key, expiring = expiring, size = expiring > 0 and redis.call('ZCARD', key) }
end

-- Let a key expire at a time, or never ('inf').
local function expire_at(key, expiry)
  if expiry == 'inf' then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIREAT', key, expiry)
  end
end

-- Give an index that is not empty the expiry of the entry that lives longest.
local function renew_index_expiry(key)
  expire_at(key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
end

-- Add an entry to an index that read_index returned, or change its expiry; remove those that have expired.
local function add_to_index(index, id, expiry)
  redis.call('ZADD', index.key, expiry, id)
  if index.expiring > 0 then redis.call('ZREMRANGEBYSCORE', index.key, '-inf', integer_text(now_ms())) end
  if expiry ~= 'inf' then
    renew_index_expiry(index.key)
  elseif index.expiring > 0 then
    expire_at(index.key, expiry)
  end
end

-- Remove an entry from an index that read_index returned.
local function remove_from_index(index, id)
  redis.call('ZREM', index.key, id)
  if index.expiring > 0 and index.size > 1 then renew_index_expiry(index.key) end
end
