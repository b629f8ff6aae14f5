"""Build the changes of a book: the parts that all verbs share, from loss detection and fences to events."""
