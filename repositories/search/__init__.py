"""Query orders, positions and symbols on servers that have search."""
