-- Of the engine: the refusals for limits that are events.
-- Uses changes/records

-- Return the refusal for a limit that this call has recorded when it ran before, given a field of its event; nil for none.
local function recorded_refusal(name, value)
  local counts = ARGV.earlier .. ' ' .. ARGV.count .. ' '
  for _, event in ipairs(redis.call('XREVRANGE', KEYS.events, '+', '-', 'COUNT', 1000)) do
    local flat = event[2]
    if flat[2] == ARGV.writer and flat[6] == 'LIMIT_REFUSED' and string.find(counts, ' ' .. flat[4] .. ' ', 1, true) then
      local at = places_of(flat)
      local said = flat[at[name]] == value and cjson.decode(flat[at.refused])
      if said and said.trading then return { 'halted', said.trading } end
      if said then return { 'beyond', said.limit, said.symbol or '', said.value, said.asked or '', said.position, said.open } end
    end
  end
end
