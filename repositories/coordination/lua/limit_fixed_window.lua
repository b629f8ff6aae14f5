-- Count a request in a fixed window, which opens with the first request after the last window closed.
-- Uses coordination/limit, coordination/integers, changes/hashes, changes/clock, changes/numbers
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
local counter = read_hash(KEYS.counter) or { opened_us = '0', used = '0' }
local corrupt = corrupt_integer(KEYS.counter, counter, { 'opened_us', 'used' })
if corrupt then return corrupt end
local opened, used = tonumber(counter.opened_us), tonumber(counter.used)
local went_back = now < opened -- the clock has; the window begins again now, or it would stay open until the clock has caught up
if went_back then opened = now end
if now >= opened + window then opened, used = now, 0 end

local closes_in, allowed = opened + window - now, used + cost <= limit
if allowed then used = used + cost end
if allowed or went_back then
  redis.call('HSET', KEYS.counter, 'opened_us', integer_text(opened), 'used', integer_text(used))
  expire_in(KEYS.counter, closes_in)
end
if not allowed then return deny(limit - used, closes_in) end
return allow(KEYS.permit, ARGV.cost, now, remembered, limit - used)
