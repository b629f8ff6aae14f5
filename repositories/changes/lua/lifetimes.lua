-- Shared: how long an order is kept.
-- Uses changes/clock, changes/numbers

local OPEN_STATUSES = CONSTANTS.OPEN_STATUSES

-- Return when an order with a status expires if it changes now: milliseconds since the epoch, or 'inf'.
local function expiry_of(status, open_ttl, closed_ttl)
  local ttl = OPEN_STATUSES[status] and open_ttl or closed_ttl
  if ttl == '' then return 'inf' end
  return integer_text(now_ms() + tonumber(ttl))
end
