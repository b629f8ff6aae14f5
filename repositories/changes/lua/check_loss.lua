-- Look for the last change that a writer knows of, and compare what is left of the book's past with it.
-- Uses changes/loss
-- KEYS events
-- ARGV acknowledged   the last change that the writer knows of, and the writer's mark
-- Returns {'kept'}  {'lost', first number, {'kept'}}: changes acknowledged before are gone

return with_loss(compare_past(KEYS.events, ARGV.acknowledged), { 'kept' })
