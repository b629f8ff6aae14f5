"""Connections to one server: opening them, sending commands and reading replies, for threads and for asyncio.

Every module exists for threads, and with the prefix ``async_`` for asyncio. Which server is asked, and what an error
means, is decided elsewhere: in :mod:`..layouts`, :mod:`..batch` and :mod:`..error_mapping`.
"""
