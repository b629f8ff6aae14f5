"""Open a book: all repositories of a desk on the same servers."""
