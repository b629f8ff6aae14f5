-- Shared: publish the events that a run has appended.
-- Uses changes/numbers

-- Return a text as it is written between the quotes of a JSON string.
local function escaped(text)
  return string.sub(string.gsub(cjson.encode(text), '\\/', '/'), 2, -2)
end

-- Return the fields of an event in JSON, from the time on, each value escaped.
local function escaped_document(entry)
  local parts = {}
  for i = 7, #entry, 2 do
    if entry[i] ~= 'totals' and entry[i] ~= 'account_totals' then parts[#parts + 1] = '","' .. entry[i] .. '":"' .. escaped(entry[i + 1]) end
  end
  return table.concat(parts)
end

-- Publish a trader's event of a number on the channels that a policy names. This is always last, and never fails a change: the stream
-- has the event, also where the user may not publish, or the server cannot.
local function publish_one(stream, trader, number, entry, document, policy)
  if string.find(trader, '"', 1, true) or string.find(trader, '\\', 1, true) then trader = RARE.escaped(trader) end
  local prefix = policy ~= ' traders' and string.match(stream, '^(.*){')
  local kind = entry[6]
  document = '{"trader":"' .. trader .. '","sequence":"' .. number .. '","type":"' .. kind
    .. (document or RARE.escaped_document(entry)) .. '","writer":"' .. entry[2] .. '"}'
  if not prefix or string.find(policy, 'traders', 1, true) then
    local published = redis.pcall('SPUBLISH', stream, document)
    if type(published) == 'table' and string.find(published.err or '', 'nknown', 1, true) then
      redis.pcall('PUBLISH', stream, document) -- before Redis 7.0
    end
  end
  if prefix and string.find(policy, 'order_events', 1, true) then
    redis.pcall('PUBLISH', prefix .. 'order_events', document)
  end
  if prefix and entry[9] == 'symbol' and string.find(policy, 'symbols', 1, true) then
    local word = kind == 'TRADE' and 'fill' or string.lower(kind)
    redis.pcall('PUBLISH', prefix .. 'events.' .. entry[10] .. '.' .. word, document)
  end
end

-- Publish a trader's events with the numbers after one; see publish_one.
local function publish(stream, trader, before, events, documents, policy)
  if policy == '' then return end
  for number, entry in ipairs(events) do
    publish_one(stream, trader, integer_text(before + number), entry, documents[number], policy)
  end
end
