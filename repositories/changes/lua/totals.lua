-- Shared: what an event says of a position's totals, which event_totals.py reads.

-- Return the totals of a position, given its fields and values: from the bought quantity to the realized profit, and fees, where there
-- are any. Of one that was only ever bought, or only ever sold, return the amount and the version: its quantity says all else. A bust
-- of what was bought before a roll leaves less than nothing bought: its quantity is negative too, as if it had been sold.
local function totals_of(fields)
  if fields[20] == '0' and fields[6] ~= '0' and not fields.fees then
    if fields[10] == '0' and fields[14] == '0' and fields[6] == fields[8] and fields[18] == fields[12]
      and string.byte(fields[6]) ~= 45 then
      return fields[12] .. ' ' .. fields[16]
    elseif fields[8] == '0' and fields[12] == '0' and fields[6] == '-' .. fields[10] and fields[18] == '-' .. fields[14] then
      return fields[14] .. ' ' .. fields[16]
    end
  end
  return fields[8] .. ' ' .. fields[10] .. ' ' .. fields[12] .. ' ' .. fields[14] .. ' ' .. fields[16] .. ' ' .. fields[18]
    .. ' ' .. fields[20] .. (fields.fees and ' ' .. fields.fees or '')
end
