"""The connections of a book: opened, pinged, counted and closed."""
