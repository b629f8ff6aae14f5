-- Shared: when an order expires.
-- Uses changes/clock, changes/numbers

local OPEN = CONSTANTS.OPEN_STATUSES

-- When an order with this status expires: 'inf' or milliseconds since the epoch.
local function expiry_of(status, open_ttl, closed_ttl)
  local ttl = OPEN[status] and open_ttl or closed_ttl
  if ttl == '' then return 'inf' end
  return integer_text(now_ms() + tonumber(ttl))
end
