-- Shared: the server's clock, by which everything expires.

-- Return the time in microseconds since the epoch.
local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The time as this run of a script has read it first, so that whatever it writes has one time. A script for which nothing
-- expires does not read it at all.
local cached_ms

-- Return the time in milliseconds since the epoch, the same in the whole script.
local function now_ms()
  cached_ms = cached_ms or math.floor(now_us() / 1000)
  return cached_ms
end
