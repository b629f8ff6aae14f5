-- Shared: indexes of the desk's own records as an audit reads and repairs them; see changes/own_index for what they are.
-- `read` calls a command that reads.

-- Return when an index expires that has so many members, of which so many are in the set beside it: 'inf' for never, '' for an
-- index that has no members.
local function end_of_index(read, size, kept, beside)
  if size == 0 then return '' end
  return size == kept and read('ZRANGE', beside, -1, -1, 'WITHSCORES')[2] or 'inf'
end

-- Return what an index and the set beside it say of a member: when its record expires, 'inf' for never, 'nan' for a member
-- that another score keeps out of the order, or that the set beside alone has; false for none.
local function score_of(read, index, beside, member)
  local score = read('ZSCORE', index, member)
  if score and score ~= '0' then return 'nan' end
  local expiry = read('ZSCORE', beside, member)
  if not score then return expiry and 'nan' end
  return expiry or 'inf'
end
