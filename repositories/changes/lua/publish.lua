-- Shared: publish the events that a run has appended.
-- Uses changes/numbers

-- Return a text as it is written between the quotes of a JSON string.
local function escaped(text)
  return string.sub(string.gsub(cjson.encode(text), '\\/', '/'), 2, -2)
end

-- Return a text as a JSON string.
local function quoted(text)
  return string.find(text, '/', 1, true) and '"' .. RARE.escaped(text) .. '"' or cjson.encode(text)
end

-- Return the fields of an event in JSON, from the time on, each value escaped.
local function escaped_document(entry)
  local parts = {}
  for i = 7, #entry, 2 do
    if entry[i] ~= 'totals' and entry[i] ~= 'account_totals' then parts[#parts + 1] = '","' .. entry[i] .. '":"' .. escaped(entry[i + 1]) end
  end
  return table.concat(parts)
end

-- Return what the JSON of a trader's events begins with, and what the names of other channels than the trader's begin with: nil or false
-- where a policy names none.
local function heads_of(stream, trader, policy)
  if string.find(trader, '"', 1, true) or string.find(trader, '\\', 1, true) then trader = RARE.escaped(trader) end
  return '{"trader":"' .. trader .. '","sequence":"', policy ~= ' traders' and string.match(stream, '^(.*){')
end

-- Publish the event of a number on the channels that a policy names. This is always last, and never fails a change: the stream has
-- the event, also where the user may not publish, or the server cannot.
local function publish_one(stream, head, prefix, number, entry, document, policy)
  local kind = entry[6]
  document = head .. number .. '","type":"' .. kind .. (document or RARE.escaped_document(entry)) .. '","writer":"' .. entry[2] .. '"}'
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
  local head, prefix = heads_of(stream, trader, policy)
  for number, entry in ipairs(events) do
    publish_one(stream, head, prefix, integer_text(before + number), entry, documents[number], policy)
  end
end
