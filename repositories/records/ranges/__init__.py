"""Reads of own records by ranges of their sorted fields."""
