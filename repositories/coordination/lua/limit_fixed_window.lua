-- Count in a window that opens with the first request after the last one closed.
-- Uses coordination/limit
-- KEYS  1 what has been counted  2 request
-- ARGV  1 request_id  2 limit  3 window  4 cost  5 how long the request is remembered  6 now, only in a test, or ''
-- Returns {'allowed', remaining, '0'}: counted now, or before for the same request
--         {'denied', remaining, microseconds until it could be allowed}: nothing was counted
--         {'duplicate'}: the request was allowed with another cost  {'corrupt', key, field, value}

local counted = read_hash(KEYS[1]) or { opened_us = '0', used = '0' }
local problem = unreadable(KEYS[1], counted, { 'opened_us', 'used' })
if problem then return problem end
local opened, used = tonumber(counted.opened_us), tonumber(counted.used)
not_before(opened)
if now >= opened + window then opened, used = now, 0 end

local closes_in = opened + window - now
if used + cost > limit then return denied(limit - used, closes_in) end
redis.call('HSET', KEYS[1], 'opened_us', integer_text(opened), 'used', integer_text(used + cost))
expire_in(KEYS[1], closes_in)
return allowed(limit - used - cost)
