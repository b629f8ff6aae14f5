-- Check if the book still has the last change that was acknowledged to a writer.
-- Uses changes/loss
-- KEYS events
-- ARGV acknowledged   the number of the last change that was acknowledged to the writer, and the writer's mark
-- Returns {'kept'}  {'lost', first number, {'kept'}}: changes acknowledged before are gone

return with_loss(compare_past(KEYS.events, ARGV.acknowledged), { 'kept' })
