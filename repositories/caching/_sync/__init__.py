# Generated from repositories/caching/_async/__init__.py by scripts/generate_sync.py: edit that one.
"""The repositories of this folder, for threads."""
