"""Place, change, fill and list orders."""
