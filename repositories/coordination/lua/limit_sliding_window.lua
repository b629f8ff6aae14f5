-- Count a request in a sliding window. It is a sorted set with one entry for each request that was allowed within the last
-- window, 'total:cost': `total` is what has been counted with it, so two entries say what was counted between them.
-- Uses coordination/limit, changes/clock, changes/numbers
-- KEYS counter       what has been counted under this name
--      permit        of this request
-- ARGV limit         how much a window allows
--      window        in microseconds
--      cost          how much this request counts
--      remembered    how long the permit is remembered, in microseconds
--      now           in microseconds; '' for the server's clock, which only tests replace
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost
--         {'corrupt', key, field, value}

local now, remembered = tonumber(ARGV.now) or now_us(), tonumber(ARGV.remembered)
local repeated = reply_to_repeat(KEYS.permit, ARGV.cost, now, remembered)
if repeated then return repeated end

local limit, window, cost = tonumber(ARGV.limit), tonumber(ARGV.window), tonumber(ARGV.cost)
-- When the clock has gone back, entries that are later than it begin their window now, but for those whose window had ended
-- before. Entries of one time are in the order of their totals, which have 16 digits.
local later = redis.call('ZRANGEBYSCORE', KEYS.counter, '(' .. integer_text(now), '+inf', 'WITHSCORES')
if #later > 0 then
  local ended = later[#later] - window
  redis.call('ZREMRANGEBYSCORE', KEYS.counter, '-inf', integer_text(ended))
  for i = 1, #later, 2 do
    if tonumber(later[i + 1]) > ended then redis.call('ZADD', KEYS.counter, integer_text(now), later[i]) end
  end
  expire_in(KEYS.counter, window)
end
local window_start = integer_text(now - window)
local past = redis.call('ZCOUNT', KEYS.counter, '-inf', window_start)

-- Return the total and the cost of the entry of a rank, and its time.
local function entry_at(rank)
  local entry = redis.call('ZRANGE', KEYS.counter, rank, rank, 'WITHSCORES')
  local total, weight = string.match(entry[1] or '', '^(%d+):(%d+)$')
  return tonumber(total), tonumber(weight), tonumber(entry[2]), entry[1]
end

local count = redis.call('ZCARD', KEYS.counter)
local total, before = 0, 0 -- what has been counted, and what had been before the window
if count > 0 then
  local last, _, _, entry = entry_at(-1)
  if not last then return { 'corrupt', KEYS.counter, 'member', entry } end
  total, before = last, last
end
if count > past then
  local first, weight, _, entry = entry_at(past)
  if not first then return { 'corrupt', KEYS.counter, 'member', entry } end
  before = first - weight
end

local used = total - before
local surplus = used + cost - limit
if surplus > 0 then
  -- The request fits once the oldest entries, as many as hold the surplus, have left; the last of these is searched for.
  local low, high = past, count - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    local reached, _, _, entry = entry_at(middle)
    if not reached then return { 'corrupt', KEYS.counter, 'member', entry } end
    if reached - before >= surplus then high = middle else low = middle + 1 end
  end
  local _, _, at = entry_at(low)
  return deny(limit - used, at + window - now)
end
if total + cost > CONSTANTS.MAX_COUNT then
  -- Count from zero again, before totals are no longer exact.
  local kept = redis.call('ZRANGE', KEYS.counter, past, -1, 'WITHSCORES')
  redis.call('UNLINK', KEYS.counter)
  for i = 1, #kept, 2 do
    local reached, weight = string.match(kept[i], '^(%d+):(%d+)$')
    if reached then
      redis.call('ZADD', KEYS.counter, kept[i + 1], string.format('%016.0f:%s', tonumber(reached) - before, weight))
    end
  end
  total, past = used, 0
end
redis.call('ZADD', KEYS.counter, integer_text(now), string.format('%016.0f:%s', total + cost, ARGV.cost))
if past > 0 then
  -- Some 100 entries a request leave: a million at once would stop the server.
  local _, _, at = entry_at(math.min(past, 100) - 1)
  redis.call('ZREMRANGEBYSCORE', KEYS.counter, '-inf', integer_text(at))
end
expire_in(KEYS.counter, window)
return allow(KEYS.permit, ARGV.cost, now, remembered, limit - used - cost)
