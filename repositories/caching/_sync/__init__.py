# Generated from repositories/caching/_async/__init__.py by scripts/generate_sync.py: edit that one.
"""Caches, their lookups and SQL sources, for threads."""
