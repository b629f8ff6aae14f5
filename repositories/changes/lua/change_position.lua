-- Of the engine: change a position without an order, once: by a difference, to a value with or without its cost, within a limit,
-- by a split, or by closing a period, which sets its totals back. A split and a roll are of the positions of all accounts in the
-- symbol, too; any other change may be one account's.
-- Uses changes/run, changes/cost, changes/fees, changes/publish, changes/account_changes, changes/totals

-- Return whether a quantity is above a limit, and farther from zero than the quantity before: what makes a position smaller is
-- let through wherever it is.
local function is_beyond(quantity, limit, before)
  local size = magnitude(quantity)
  return is_less(limit, size) and is_less(magnitude(before), size)
end

-- Return the quantity after a split of a number of old units into new ones, nil when it is none that can be held. The one that
-- the caller gives goes before what the ratio makes, which may have a fraction that is paid out.
local function split_quantity(held, ratio, given)
  if given ~= '' then
    given = decimal(given)
    local is_same_side = is_less(held, 0) == is_less(given, 0) and is_less(0, held) == is_less(0, given)
    return (given == 0 or is_same_side) and given or nil
  end
  local new, old = string.match(ratio, '^(%d+)/(%d+)$')
  local size = magnitude(held)
  local made = share_of(size, decimal(new), decimal(old), QUANTITY_PLACES)
  if decimal_text(product(made, decimal(old))) ~= decimal_text(product(size, decimal(new))) then return nil end
  return is_less(held, 0) and negative(made) or made
end

-- Return the totals of a position as a JSON object, and set them back: what it holds, and what that has cost, goes on.
local function close_period(position)
  local totals = {}
  for _, name in ipairs({ 'bought_quantity', 'sold_quantity', 'bought_notional', 'sold_notional', 'realized_profit' }) do
    totals[#totals + 1] = '"' .. name .. '":"' .. decimal_text(position[name]) .. '"'
    position[name] = 0
  end
  local fees = position.fees and fees_text(position.fees) or ''
  if fees ~= '' then totals[#totals + 1] = '"fees":"' .. escaped(fees) .. '"' end
  position.fees = position.fees and {}
  return '{' .. table.concat(totals, ',') .. '}'
end

-- Return the answer to a change of a position that is remembered, of one account's where it has said so.
local function answer_to_changed(request, request_id, symbol, content, recorded, account)
  local number, first = string.match(recorded, '^(%d+) (.+)$')
  if not number then return { 'corrupt', request, request_id, recorded } end
  if first ~= content then return { 'duplicate' } end
  local position = account and RARE.load_account(account, symbol) or load_position(symbol)
  if problem then return problem end
  return { 'repeat', number, table.concat(fields_of(position), '\n'), event_of(number) }
end

-- The quantity of a step is what is added, what is set, or for a split the ratio; its terms are the cost of what is set,
-- '-' for none, and after a star its multiplier, or the quantity that a split results in, '' for none; and after an @ in JSON the
-- account whose position it is, in a list, or for a split the quantities that it results in, by account.
-- Return {'applied', sequence, position…}  {'limit', position…}: the account's position, where it is of one
--        {'inexact', quantity}  {'inexact', quantity, account}  {'account', one that has no position}  {'accounts', too many}
--        {'repeat', sequence, position as it is now…, event…}
--        {'multiplier', asked for, of the position}
--        {'duplicate'}  {'overflow', what}  {'corrupt', key, field, value}  {'fence', lock, fence}
local function change_position(at)
  local symbol, request_id, action, quantity_text, max_position, ts_ns, terms = unpack(ARGV, at, at + 6)
  local request = base .. 'request:' .. request_id
  local content = table.concat({ symbol, action, quantity_text, max_position }, ' ') .. (terms ~= '' and '/' .. terms or '')
  local recorded = requests and requests[request] or redis.call('GET', request)
  local whose, account = ''
  if terms ~= '' then terms, whose = string.match(terms, '^([^@]*)@?(.*)$') end
  if whose ~= '' and action ~= 'SPLIT' then account = cjson.decode(whose)[1] end
  if recorded then return RARE.answer_to_changed(request, request_id, symbol, content, recorded, account) end
  local refused = is_barred and RARE.bar()
  if refused then return refused end
  local position = load_position(symbol)
  if problem then return problem end
  local before, of, plans, refusal = position.quantity, position
  if account then of = RARE.load_account(account, symbol) end
  if problem then return problem end
  local held, kind, quantity = of.quantity, 'POSITION', of.quantity
  if action == 'SPLIT' then
    local function split(one, given) return RARE.split_quantity(one, quantity_text, given) end
    kind, plans, quantity = action, RARE.plan_accounts(symbol, held, split, whose)
    if not plans then return quantity end
    if terms ~= '' then quantity = split(held, terms) end
    if not quantity then return { 'inexact', decimal_text(held) } end
  elseif action == 'ROLL' then
    kind, plans, refusal = action, RARE.plan_accounts(symbol, held, nil, '')
    if not plans then return refusal end
  else
    quantity = action == 'ADJUST' and sum(held, decimal(quantity_text)) or decimal(quantity_text)
  end
  if plans and plans.refusal then return plans.refusal end
  if is_too_large(quantity, QUANTITY_DIGITS) then return { 'overflow', 'quantity' } end
  if max_position ~= '' and RARE.is_beyond(quantity, decimal(max_position), held) then
    return { 'limit', table.concat(fields_of(of), '\n') }
  end
  local given, multiplier = '', ''
  if action == 'SET' and terms ~= '' then
    given, multiplier = string.match(terms, '^([^*]+)%*?(.*)$')
    if given == '-' then given = '' end
    local unlike = multiplier ~= '' and RARE.other_multiplier_refusal(position, symbol, multiplier)
    if unlike then return unlike end
  end
  local cost, realized = cost_after_change(position, quantity)
  local plan, cost_change
  if account then
    plan, quantity, cost, realized, cost_change = RARE.plan_account_change(position, of, quantity, given)
    if not plan then return quantity end
  elseif given ~= '' then
    cost, realized = decimal(given), position.realized_profit
  end
  if is_too_large(realized, AMOUNT_DIGITS) then return { 'overflow', 'realized_profit' } end

  if multiplier ~= '' then
    position.multiplier = multiplier ~= '1' and multiplier or nil
    position.has_lost_multiplier = multiplier == '1'
  end
  position.open_cost, position.realized_profit = cost, realized
  local period = kind == 'ROLL' and RARE.close_period(position) or ''
  local difference = kind == 'POSITION' and action == 'ADJUST' and quantity_text
    or decimal_text(sum(quantity, negative(before)))
  position.quantity, position.version = quantity, sum(position.version, 1)
  position.updated_ns, position.is_changed = ts_ns, true
  local fields = fields_of(position)
  local number = append({
    'writer', ARGV.writer, 'count', ARGV.count, 'type', kind, 'ts_ns', ts_ns, 'symbol', symbol,
    'request_id', request_id, 'position_quantity', fields[6], 'position_change', difference,
    'position_cost', account and '' or given,
    'multiplier', position.multiplier or '', 'period', period, 'totals', totals_of(fields),
  }, '","ts_ns":"' .. ts_ns .. '","symbol":"' .. symbol .. '","request_id":"' .. request_id .. '","position_quantity":"'
    .. fields[6] .. '","position_change":"' .. difference .. json_part('position_cost', given)
    .. json_part('multiplier', position.multiplier or ''), symbol .. request_id .. period)
  local state = not plan and table.concat(fields, '\n')
    or RARE.book_account(plan, position.multiplier, ts_ns,
      given ~= '' and { 'account_cost', given, 'position_cost_change', cost_change } or nil)
  if plans and #plans > 0 then RARE.book_accounts(plans, position.multiplier, ts_ns, kind == 'ROLL' and RARE.close_period) end
  requests = requests or {}
  requests[request] = number .. ' ' .. content
  return { 'applied', number, state }
end
