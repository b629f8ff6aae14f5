-- Shared: the events of own records as they are published.
-- Uses changes/publish

-- Return the fields of an event in JSON, from the time on; false when a key or the id of a request needs an escape.
local function document_of(ts_ns, kind, id, version, changed, request_id)
  if string.find(id, '[%c"\\]') or request_id ~= '' and string.find(request_id, '[%c"\\]') then return false end
  return '","ts_ns":"' .. ts_ns .. (request_id == '' and '' or '","request_id":"' .. request_id) .. '","kind":"' .. kind
    .. '","key":"' .. id .. '","version":"' .. version
    .. (changed == '' and '' or '","changed":'
      .. (string.find(changed, '/', 1, true) and '"' .. RARE.escaped(changed) or string.sub(cjson.encode(changed), 1, -2)))
end
