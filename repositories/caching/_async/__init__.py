"""Caches, their lookups and SQL sources, for asyncio."""
