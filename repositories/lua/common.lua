-- Shared by every script that writes. Rules that keep a script all-or-nothing:
--   * every key is read before the first is written: a key of another type, or one that has not moved with its slot yet,
--     stops the script while it has changed nothing;
--   * a key that may become empty is written last and not touched again;
--   * amounts are decimal text, summed as integers of 1e-9; quantities stay below 2^53, where a Lua number is exact.

local OPEN = { NEW = true, PARTIALLY_FILLED = true }

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local moment -- of a script: its clock is asked once, and where nothing expires not at all

local function now_ms()
  moment = moment or math.floor(now_us() / 1000)
  return moment
end

-- A whole number as text. '%d' is much sooner done, but on a server of 32 bits wrong beyond them.
local function whole(number)
  return string.format(number < 2147483648 and number > -2147483648 and '%d' or '%.0f', number)
end

-- Why a change under a lock must not be made, as a reply; nil when it may. Without a lock it may. Asked when a repeat has been
-- recognised: that gets its first result, whoever holds the lock by now.
local function fenced(lock, fence)
  if not lock then return nil end
  local held, ends = unpack(redis.call('HMGET', lock, 'fence', 'ends_ms'))
  if held == fence and now_ms() < (tonumber(ends) or 0) then return nil end
  return { 'fence', lock, fence }
end

-- A hash as a table, nil when there is none.
local function record(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return nil end
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- A table as the flat list that a client reads.
local function flat(fields)
  local list, size = {}, 0
  for field, value in pairs(fields) do
    list[size + 1], list[size + 2] = field, value
    size = size + 2
  end
  return list
end

-- Write changes to a hash; '' clears a field. The caller's table follows.
local function write(key, fields, changes)
  local set, cleared = {}, {}
  for field, value in pairs(changes) do
    if value == '' then
      if fields[field] then cleared[#cleared + 1] = field end
      fields[field] = nil
    else
      set[#set + 1] = field
      set[#set + 1] = value
      fields[field] = value
    end
  end
  redis.call('HSET', key, unpack(set))
  if #cleared > 0 then redis.call('HDEL', key, unpack(cleared)) end
end

local BASE = 100000000000000

-- A decimal as two numbers of one sign: value = (high * BASE + low) * 1e-9.
local function split(decimal)
  local sign, digits, part = string.match(decimal, '^(-?)(%d+)%.?(%d*)$')
  digits = digits .. part .. string.rep('0', 9 - #part)
  local high = tonumber(string.sub(digits, 1, -15)) or 0
  local low = tonumber(string.sub(digits, -14)) or 0
  if sign == '-' then return -high, -low end
  return high, low
end

-- The exact sum of two decimals, nil when it is past 10^20.
local function add(a, b)
  local a_units, a_part = string.match(a, '^(%d+)%.?(%d*)$')
  local b_units, b_part = string.match(b, '^(%d+)%.?(%d*)$')
  local places = a_units and b_units and math.max(#a_part, #b_part) or 15
  if places < 15 and #a_units + places <= 15 and #b_units + places <= 15 then -- the usual: one number holds them exactly
    local digits = whole((a_units .. a_part .. string.rep('0', places - #a_part))
      + (b_units .. b_part .. string.rep('0', places - #b_part))) -- texts in a sum are taken for their numbers
    if places == 0 then return digits end
    digits = string.rep('0', places + 1 - #digits) .. digits
    local part = string.gsub(string.sub(digits, -places), '0+$', '')
    return string.sub(digits, 1, -places - 1) .. (part == '' and '' or '.' .. part)
  end
  local a_high, a_low = split(a)
  local b_high, b_low = split(b)
  local high, low = a_high + b_high, a_low + b_low
  if low >= BASE then high, low = high + 1, low - BASE
  elseif low <= -BASE then high, low = high - 1, low + BASE end
  if high > 0 and low < 0 then high, low = high - 1, low + BASE
  elseif high < 0 and low > 0 then high, low = high + 1, low - BASE end
  if math.abs(high) >= 1e15 then return nil end
  local digits = whole(math.abs(high)) .. string.format('%014.0f', math.abs(low))
  local units = string.gsub(string.sub(digits, 1, -10), '^0+', '')
  local part = string.gsub(string.sub(digits, -9), '0+$', '')
  local text = (units == '' and '0' or units) .. (part == '' and '' or '.' .. part)
  if (high < 0 or low < 0) and text ~= '0' then return '-' .. text end
  return text
end

-- The number of an event; its first field is the mark of who wrote it.
local function number_of(event)
  return string.match(event[1], '^%d+') + 0
end

local function last_sequence(events)
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  return last and number_of(last) or 0, last
end

-- The number of the last event that there ever was, though someone may have deleted it.
local function last_generated(events)
  if redis.call('EXISTS', events) == 0 then return 0 end
  local stream = redis.call('XINFO', 'STREAM', events)
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then return tonumber(string.match(stream[i + 1], '^%d+')) end
  end
end

-- The first number after the last event up to `number` that has the writer's mark. Replicas receive events in order, so
-- whatever came before an event of this writer that is still there, is still there too.
local function first_lost(events, number, writer)
  local before = whole(number) .. '-0'
  while true do
    local page = redis.call('XREVRANGE', events, before, '-', 'COUNT', 100)
    for _, event in ipairs(page) do
      if event[2][2] == writer then return number_of(event) + 1 end
    end
    if #page < 100 then return #page > 0 and number_of(page[#page]) or 1 end
    before = '(' .. page[#page][1]
  end
end

-- A book's past, compared with what one of its writers was told: `told` is the number of the last change acknowledged to it,
-- 0 for none, and the mark that it leaves on its events. Returns a table of the last number, the mark, and the first number
-- that is lost, nil when none is.
local function past(events, told)
  local acknowledged, writer = string.match(told, '^(%d+) (%x+)$')
  local last, event = last_sequence(events)
  acknowledged = acknowledged + 0
  local known = { last = last, writer = writer, told = acknowledged }
  if acknowledged == 0 then return known end
  if acknowledged < last then
    event = redis.call('XRANGE', events, whole(acknowledged) .. '-0', whole(acknowledged) .. '-0')[1]
  elseif acknowledged > last then
    event = nil
  end
  if event and event[2][2] == writer then return known end
  if not event and acknowledged <= last_generated(events) then return known end -- trimmed, or deleted by hand
  known.lost = first_lost(events, math.min(acknowledged, last), writer)
  return known
end

-- A reply, and with it what was found lost.
local function answer(before, reply)
  if before.lost then return { 'lost', whole(before.lost), reply } end
  return reply
end

-- A reply to a change that was applied before. If its first reply never came, the writer does not know of its event; so a
-- reply to a repeat says how far the writer's events go, and from now on they are as good as acknowledged.
local function repeated(events, before, reply)
  local unknown = redis.call('XREVRANGE', events, '+', '(' .. whole(before.told) .. '-0', 'COUNT', 20)
  for _, event in ipairs(unknown) do
    if event[2][2] == before.writer then return answer(before, { 'seen', whole(number_of(event)), reply }) end
  end
  return answer(before, reply)
end

-- The fields of an event, in the one order in which they are written, after the mark of who wrote it.
local TOLD = {
  'type', 'ts_ns', 'symbol', 'order_id', 'side', 'status', 'quantity', 'price', 'filled_quantity', 'exec_id', 'last_quantity',
  'last_price', 'late', 'request_id', 'position_quantity', 'text',
}

local news -- the event that this script has appended, until it is announced

-- Append an event and return its number, which is its id, so that a gap could not go unseen. Always the first write: should
-- the server refuse it, nothing else has happened. The policy says how many events are kept, and where they are announced.
local function append(events, before, policy, fields)
  local entry, size = { 'writer', before.writer }, 2
  for _, field in ipairs(TOLD) do
    local value = fields[field]
    if value and value ~= '' then
      entry[size + 1], entry[size + 2] = field, value
      size = size + 2
    end
  end
  local kept, channels = string.match(policy, '^(%d+)(.*)$')
  local sequence = whole(before.last + 1)
  local added = redis.pcall('XADD', events, 'MAXLEN', '~', kept, sequence .. '-0', unpack(entry))
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'equal or smaller', 1, true) then return nil, added end
    sequence = whole(last_generated(events) + 1) -- the number of an event that someone deleted is used up all the same
    redis.call('XADD', events, 'MAXLEN', '~', kept, sequence .. '-0', unpack(entry))
  end
  if channels ~= '' then news = { events = events, sequence = sequence, entry = entry, fields = fields, channels = channels } end
  return sequence
end

-- A text as it stands between the quotes of a JSON string.
local function escaped(text)
  return string.sub(string.gsub(cjson.encode(text), '\\/', '/'), 2, -2)
end

-- Tell subscribers of the event that was appended: always last, and never a reason to fail, for the stream has it. A server
-- that may not, or cannot, publish has not changed less of the book for that. Of what an event says, only names and text can
-- need an escape.
local function announce()
  if not news then return end
  local prefix, trader = string.match(news.events, '^(.*){(.*)}:events$')
  local entry, fields = news.entry, news.fields
  local free = trader .. fields.symbol .. (fields.order_id or '') .. (fields.exec_id or '') .. (fields.request_id or '')
    .. (fields.text or '')
  local plain = not string.find(free, '[%c"\\]')
  local pieces, size = { '{"trader":"', plain and trader or escaped(trader), '","sequence":"', news.sequence }, 4
  for i = 3, #entry, 2 do
    local value = entry[i + 1]
    pieces[size + 1], pieces[size + 2], pieces[size + 3] = '","', entry[i], '":"'
    pieces[size + 4] = plain and value or escaped(value)
    size = size + 4
  end
  pieces[size + 1], pieces[size + 2], pieces[size + 3] = '","writer":"', entry[2], '"}'
  local document = table.concat(pieces)
  if string.find(news.channels, 'traders', 1, true) then
    local heard = redis.pcall('SPUBLISH', news.events, document)
    if type(heard) == 'table' and string.find(heard.err or '', 'nknown', 1, true) then
      redis.pcall('PUBLISH', news.events, document) -- before Redis 7.0
    end
  end
  if string.find(news.channels, 'order_events', 1, true) then redis.pcall('PUBLISH', prefix .. 'order_events', document) end
  if string.find(news.channels, 'symbols', 1, true) then
    local kind = fields.type == 'TRADE' and 'fill' or string.lower(fields.type)
    redis.pcall('PUBLISH', prefix .. 'events.' .. fields.symbol .. '.' .. kind, document)
  end
end

-- An index as it is before it is written: how many of its entries will die, and where some will, how many there are in all.
-- Reading it proves that it can be written.
local function look(index)
  local mortal = redis.call('ZCOUNT', index, '-inf', '(inf')
  return { key = index, mortal = mortal, size = mortal > 0 and redis.call('ZCARD', index) }
end

local function live_until(key, expiry)
  if expiry == 'inf' then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIREAT', key, expiry)
  end
end

-- Give an index that is not empty the expiry of its longest-lived entry.
local function renew(index)
  live_until(index, redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2])
end

-- An index entry dies with its order: its score is the order's expiry, and the whole index expires at its highest score.
local function enter(index, id, expiry)
  redis.call('ZADD', index.key, expiry, id)
  if index.mortal > 0 then redis.call('ZREMRANGEBYSCORE', index.key, '-inf', whole(now_ms())) end
  if expiry ~= 'inf' then
    renew(index.key)
  elseif index.mortal > 0 then
    live_until(index.key, expiry)
  end
end

local function leave(index, id)
  redis.call('ZREM', index.key, id)
  if index.mortal > 0 and index.size > 1 then renew(index.key) end
end

-- When an order with this status expires: 'inf' or milliseconds since the epoch.
local function expiry_of(status, open_ttl, closed_ttl)
  local ttl = OPEN[status] and open_ttl or closed_ttl
  if ttl == '' then return 'inf' end
  return whole(now_ms() + tonumber(ttl))
end
