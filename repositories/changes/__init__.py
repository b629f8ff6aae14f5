"""What every change of a book shares: loss detection, fences, and how its event is recorded."""
