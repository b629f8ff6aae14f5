-- What is left of a book's past.
-- Uses changes/loss
-- KEYS  1 events
-- ARGV  1 what the writer was told
-- Returns {'kept'}  {'lost', first number, {'kept'}}: changes acknowledged before are gone

return with_loss(compare_past(KEYS[1], ARGV[1]), { 'kept' })
