"""Reach the servers of a book: settings, calls and their retries, connections, and the map of each topology."""
