# Generated from topology/_async/__init__.py by scripts/generate_sync.py: edit that one.
