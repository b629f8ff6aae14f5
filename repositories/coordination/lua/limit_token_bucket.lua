-- Take tokens from a bucket that fills evenly. A token is so many drops that a whole number of them flows in with every
-- microsecond: nothing is ever rounded.
-- Uses coordination/limit
-- KEYS  1 what has been counted  2 request
-- ARGV  1 request_id  2 limit  3 window  4 cost  5 how long the request is remembered  6 now, only in a test, or ''
--       7 tokens in a full bucket  8 drops per microsecond  9 drops per token
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost  {'corrupt', key, field, value}

local inflow, token = tonumber(ARGV[8]), tonumber(ARGV[9])
local full = tonumber(ARGV[7]) * token
local counted = read_hash(KEYS[1]) or { drops = integer_text(full), at_us = '0' }
local problem = unreadable(KEYS[1], counted, { 'drops', 'at_us' })
if problem then return problem end
local drops, at = tonumber(counted.drops), tonumber(counted.at_us)
not_before(at)
-- Asked in this order because time * inflow could be past 2^53 for a bucket that is full anyway.
drops = now - at >= math.ceil((full - drops) / inflow) and full or drops + (now - at) * inflow

if drops < cost * token then
  return denied(math.floor(drops / token), math.ceil((cost * token - drops) / inflow))
end
drops = drops - cost * token
redis.call('HSET', KEYS[1], 'drops', integer_text(drops), 'at_us', integer_text(now))
expire_in(KEYS[1], math.ceil((full - drops) / inflow))
return allowed(math.floor(drops / token))
