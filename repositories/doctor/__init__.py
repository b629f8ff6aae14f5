"""Look at the servers of a book, and say what is wrong with them, what may become so, and what to do about it.

Checks are data, a row each, and pure: they are given what servers have answered. Only ``_async.py`` asks servers, with
commands that change nothing. What is stored in a book is not looked at here: see ``audit``.
"""
