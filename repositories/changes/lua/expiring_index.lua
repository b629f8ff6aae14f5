-- Shared: indexes whose entries expire with their records. An index is a sorted set of ids. The score of an entry is the time
-- at which its record expires, in milliseconds since the epoch, or 'inf'; the whole index expires at its highest score.
-- Uses changes/clock, changes/numbers

-- Return an index as it is before a change, with its lowest score, nil when it has no entries. If the key holds something
-- else, this fails the script before it has written anything.
local function read_index(key)
  return { key = key, lowest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] }
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

-- Plan to add an entry to an index that was read, or to change its expiry.
local function enter_index(index, id, expiry)
  local entered = index.entered
  if not entered then
    index.entered = { expiry, id }
  else
    entered[#entered + 1], entered[#entered + 2] = expiry, id
  end
  if index.left then index.left[id] = nil end
  if expiry ~= 'inf' then index.expires = true end
end

-- Plan to remove an entry from an index that was read.
local function leave_index(index, id)
  index.left = index.left or {}
  index.left[id] = true
  if index.lowest and index.lowest ~= 'inf' then index.size = index.size or redis.call('ZCARD', index.key) end
end

-- Remove the entries of an index that have expired.
local function drop_expired(index)
  if tonumber(index.lowest) <= now_ms() then
    redis.call('ZREMRANGEBYSCORE', index.key, '-inf', integer_text(now_ms()))
  end
end

-- Write an index as planned, and take out what has expired. A key that may have become empty is not touched again: while its
-- slot migrates, the server would stop the script there.
local function write_index(index)
  local entered, gone = index.entered, 0
  local stays = entered
  if entered then redis.call('ZADD', index.key, unpack(entered)) end
  if index.left and next(index.left) then
    local left = {}
    for id in pairs(index.left) do left[#left + 1] = id end
    gone = redis.call('ZREM', index.key, unpack(left))
    stays = false
    for i = 2, entered and #entered or 0, 2 do stays = stays or not index.left[entered[i]] end
  end
  local expiring = index.lowest and index.lowest ~= 'inf'
  if not (expiring or index.expires) or (not stays and (index.size or 0) <= gone) then return end
  if stays and expiring then RARE.drop_expired(index) end
  RARE.renew_index_expiry(index.key)
end
