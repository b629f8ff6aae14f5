"""Apply journals to a book."""
