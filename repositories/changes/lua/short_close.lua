-- End an order in the shortest way: cancel, reject or expire an open one, named by its own id, that has no more than a place and fills
-- give it, by a request that is not known and says nothing else, in a call of which nothing is lost or sent again. For all else the
-- engine follows in this script; it is built only when it is called, and decides anew: nothing has been written then.
-- Uses changes/short_way, changes/plain_order, changes/close_many, changes/expiring_index
-- KEYS book
--      events
--      positions
--      lock
--      step_keys...
-- Touches the position of the order's symbol, and the indexes of symbols and statuses
-- ARGV trader            they are those of the engine
--      mode
--      writer
--      count
--      acknowledged
--      earlier
--      kept
--      channels
--      closed_ttl
--      request_ttl
--      record_refusals
--      fence
--      expected
--      steps...          each 'close', and what its function unpacks
-- Returns what the engine returns

local SIDES = CONSTANTS.SIDES

-- Write an order, and what is remembered beside it, which both expire; what is open on its side without it; and its indexes. Of its
-- symbol no index expires while another order is open, and nearly always an order that has ended lives longer than those before.
local function write_end(key, written, memory, entry, remembered, expiry, position, open_side, open, is_last, by_symbol, entered, left, id,
  expired)
  redis.call('HSET', key, unpack(written))
  redis.call('PEXPIREAT', key, expiry)
  if memory then
    redis.call('HSET', memory, entry, remembered)
    redis.call('PEXPIREAT', memory, expiry)
  end
  redis.call('HSET', position, open_side, open)
  redis.call('ZADD', by_symbol, expiry, id)
  redis.call('ZADD', entered, expiry, id)
  if expired then RARE.drop_all_expired(expired, by_symbol, entered) end
  if is_last then RARE.renew_index_expiry(by_symbol) else redis.call('PERSIST', by_symbol) end
  if redis.call('PEXPIREAT', entered, expiry, 'GT') == 0 then RARE.renew_index_expiry(entered) end
  redis.call('ZREM', left, id)
end

-- Return the reply, nil when the engine has to say it.
local function close()
  local at = FIRST.steps
  if ARGV.fence ~= '' or ARGV.earlier ~= '' or ARGV.expected ~= '' then return nil end
  local format, sequence, writer, count, latest_ns =
    unpack(redis.pcall('HMGET', KEYS.book, 'format', 'sequence', 'writer', 'count', 'latest_ns'))
  local last = plain_last(format, sequence, writer, count, latest_ns)
  if not last then return nil end
  local _, to, id, request_id, ts_ns, text, stated, digest, _, _, _, more = unpack(ARGV, at, at + 11)
  if more then return RARE.close_many(at, last, latest_ns) end
  if text ~= '' or stated ~= '' or digest ~= '' then return nil end

  local base, entry = string.sub(KEYS.book, 1, -5), 'request:' .. request_id
  local key, memory = base .. 'order:' .. id, base .. 'applied:' .. id
  local flat, limit, is_changed = plain_order(key, memory, entry)
  local from = flat and can_end(flat, to, entry)
  if not from then return nil end
  local symbol, counted, rest = flat[6], SIDES[flat[8]], flat[14] - flat[18]
  if not counted then return nil end
  local at_position = base .. 'position:' .. symbol
  local buy, sell = unpack(redis.pcall('HMGET', at_position, 'open_buy_quantity', 'open_sell_quantity'))
  if not buy or not sell then return nil end
  local open, other = counted == 'BUY' and buy or sell, counted == 'BUY' and sell or buy
  if rest % 1 ~= 0 or #buy > 15 or #sell > 15 or #flat[14] > 15 or not string.find(buy .. ' ' .. sell, '^%d+ %d+$')
    or string.byte(other) == 48 and other ~= '0' then
    open = RARE.open_without_few(open, other, flat[14], flat[18])
  else
    open = open - rest
    if open < 0 then return nil end
  end
  if not open then return nil end

  local by_symbol, entered, left = base .. 'orders_by_symbol:' .. symbol, base .. 'orders_by_status:' .. to, base .. 'orders_by_status:' .. from
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local expired, ended = redis.pcall('ZCOUNT', by_symbol, '-inf', now), redis.pcall('ZCOUNT', entered, '-inf', now)
  if type(expired) ~= 'number' or type(ended) ~= 'number' or redis.pcall('ZCOUNT', left, '-inf', '(inf') ~= 0 then return nil end

  local number = integer_text(last + 1)
  local remembered, version = number .. ' ' .. to .. '|', integer_text(flat[22] + 1)
  local written = set_end(flat, is_changed, to, version, ts_ns, entry, remembered)
  local event, document = event_of_end(flat, limit, to, ts_ns, request_id)
  return carry_out(last, latest_ns, event, document, { 'applied', number, table.concat(flat, '\n') }, nil, write_end, key, written,
    is_changed and memory or nil, entry, remembered, now + ARGV.closed_ttl, at_position,
    counted == 'BUY' and 'open_buy_quantity' or 'open_sell_quantity', open, open == 0 and other == '0', by_symbol, entered, left, id,
    expired + ended > 0 and now or nil)
end

local reply = close()
if reply then return reply end
