-- Check if a book still has what was acknowledged to a writer.
-- Uses changes/header
-- KEYS book
--      events
-- ARGV writer          the writer's mark
--      acknowledged    number, mark and count of the events that prove what was acknowledged to the writer
-- Returns {lost}: what was found lost, '' for nothing
--         {'', answer}: the header cannot be read

local last, writer = read_header(KEYS.book, KEYS.events)
if not last then return { '', writer } end
return { ARGV.acknowledged ~= '' and find_loss(KEYS.events, last, '', ARGV.acknowledged, ARGV.writer) or '' }
