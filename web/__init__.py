"""A blotter in the browser: the rows of a book, kept up to date, and the server that shows them; it only reads.

Needs the extra ``slotbook[web]``. The command ``slotbook web`` starts it.
"""
