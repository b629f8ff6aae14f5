-- Shared: the fields of the position of an account.

-- Return the fields and values of the position of an account, given those of a position: what is open of orders is not among them.
local function as_account(fields, account)
  table.remove(fields, 24)
  table.remove(fields, 23)
  fields[21], fields[22] = 'account', account
  return fields
end
