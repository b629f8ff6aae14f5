-- Shared: how long a terminal order is kept.
-- Uses changes/clock, changes/numbers

local OPEN_STATUSES = CONSTANTS.OPEN_STATUSES

-- Return when an order expires that is kept for so many milliseconds from now: milliseconds since the epoch.
local function expiry_after(ttl)
  return integer_text(now_ms() + ttl)
end
