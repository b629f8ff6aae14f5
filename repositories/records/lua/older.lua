-- Read the records of an older schema on a page of one trader's records of a kind, for a run that brings them to the model's.
-- Uses records/migrating
-- KEYS book
--      all      the index of all records
--      run      the number of the run's last step
-- Touches the records that the index names, and the set beside it
-- ARGV kind
--      schema   that of the model
--      base     what the keys of these records begin with
--      number   that of the step, from 1
--      after    the key after which the page begins, '' for the first
--      limit    how many keys a page has
--      written... the keys of the records that were written after the step before
-- Returns {'page', the number of the last event, the key after which the next page begins, '' for none, key, record, …},
--         {'marked'}, {'newer', schema}, {'lost'}, or {'nothing'} for a trader of whom nothing is stored

if ARGV.number == '1' and redis.call('EXISTS', KEYS.book, KEYS.all) == 0 then return { 'nothing' } end
local ended = end_of_run(KEYS.book, KEYS.run, ARGV.kind, ARGV.schema, ARGV.number)
  or loss_of_written(KEYS.all, ARGV.base, ARGV.schema, { unpack(ARGV, FIRST.written) })
if ended then return ended end
local keys = redis.call('ZRANGE', KEYS.all, ARGV.after == '' and '-' or '(' .. ARGV.after, '+', 'BYLEX', 'LIMIT', 0, ARGV.limit)
local page = { 'page', redis.call('HGET', KEYS.book, 'sequence') or '0', #keys == tonumber(ARGV.limit) and keys[#keys] or '' }
for _, key in ipairs(keys) do
  local refused = add_older(page, KEYS.all, ARGV.base, key, ARGV.schema)
  if refused then return refused end
end
note_step(KEYS.run, ARGV.number)
return page
