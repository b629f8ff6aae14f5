-- Shared: indexes of the desk's own records, and of own fields of orders, as an audit reads and repairs them; see
-- changes/own_index for what they are. `read` calls a command that reads.
-- Uses changes/expiring_index

-- Return when an index expires that has so many members, of which so many are in the set beside it: 'inf' for never, '' for an
-- index that has no members.
local function end_of_index(read, size, kept, beside)
  if size == 0 then return '' end
  return size == kept and read('ZRANGE', beside, -1, -1, 'WITHSCORES')[2] or 'inf'
end

-- Return what an index and the set beside it say of a member: when its record expires, 'inf' for never, 'nan' for a member
-- that another score keeps out of the order, or that the set beside alone has; false for none.
local function score_of(read, index, beside, member)
  local score = read('ZSCORE', index, member)
  if score and score ~= '0' then return 'nan' end
  local expiry = read('ZSCORE', beside, member)
  if not score then return expiry and 'nan' end
  return expiry or 'inf'
end

-- Return the key of the set beside an index of an own field of a trader's orders; nil for an index of anything else.
local function beside_own_field(base, index)
  local head, value = string.match(string.sub(index, #base + 1), '^(orders_by_%+[^:]*)(:.*)$')
  return head and base .. head .. '@expiry' .. value
end

-- Write an entry of an index, given when its record expires, 'inf' for never and '' for an entry to take out; and give the index
-- and the set beside it the expiry that both then have.
local function write_entry(index, beside, member, expiry)
  local size, kept = redis.call('ZCARD', index), redis.call('ZCARD', beside)
  if expiry ~= '' then
    size = size + redis.call('ZADD', index, 0, member)
  else
    size = size - redis.call('ZREM', index, member)
  end
  if expiry ~= '' and expiry ~= 'inf' then
    kept = kept + redis.call('ZADD', beside, expiry, member)
  elseif kept > 0 then
    kept = kept - redis.call('ZREM', beside, member)
  end
  local last = end_of_index(redis.call, size, kept, beside)
  if kept > 0 then expire_at(beside, last) end
  if size > 0 then expire_at(index, last) end
end
