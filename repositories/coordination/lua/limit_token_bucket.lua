-- Take tokens from a bucket that fills evenly. It is counted in drops: a token is so many of them that a whole number flows
-- in with every microsecond, so nothing is ever rounded.
-- Uses coordination/limit, coordination/integers, changes/hashes, changes/clock, changes/numbers
-- KEYS counter       what has been counted under this name
--      permit        of this request
-- ARGV cost          how much this request counts
--      remembered    how long the permit is remembered, in microseconds
--      now           in microseconds; '' for the server's clock, which only tests replace
--      burst         tokens in a full bucket
--      inflow        drops per microsecond
--      token         drops per token
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost
--         {'corrupt', key, field, value}

local now, remembered = tonumber(ARGV.now) or now_us(), tonumber(ARGV.remembered)
local repeated = reply_to_repeat(KEYS.permit, ARGV.cost, now, remembered)
if repeated then return repeated end

local inflow, token = tonumber(ARGV.inflow), tonumber(ARGV.token)
local full, cost = tonumber(ARGV.burst) * token, tonumber(ARGV.cost) * token
local bucket = read_hash(KEYS.counter) or { drops = integer_text(full), at_us = '0' }
local corrupt = corrupt_integer(KEYS.counter, bucket, { 'drops', 'at_us' })
if corrupt then return corrupt end
local drops, at = tonumber(bucket.drops), tonumber(bucket.at_us)
local went_back = now < at -- the clock has; it fills from now on, or it would not until the clock has caught up
if went_back then at = now end
-- Check first whether it is full by now: the drops since then could be past 2^53, where a Lua number is no longer exact.
drops = now - at >= math.ceil((full - drops) / inflow) and full or drops + (now - at) * inflow

local allowed = drops >= cost
if allowed then drops = drops - cost end
if allowed or went_back then
  redis.call('HSET', KEYS.counter, 'drops', integer_text(drops), 'at_us', integer_text(now))
  expire_in(KEYS.counter, math.ceil((full - drops) / inflow))
end
if not allowed then return deny(math.floor(drops / token), math.ceil((cost - drops) / inflow)) end
return allow(KEYS.permit, ARGV.cost, now, remembered, math.floor(drops / token))
