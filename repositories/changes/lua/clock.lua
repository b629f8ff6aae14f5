-- Shared: the server's clock.

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local moment -- of a script: its clock is asked once, and where nothing expires not at all

local function now_ms()
  moment = moment or math.floor(now_us() / 1000)
  return moment
end
