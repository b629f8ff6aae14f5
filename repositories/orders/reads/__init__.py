"""Read, count and find orders."""
