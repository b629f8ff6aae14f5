"""Coordination between processes: locks, rate limits, sessions, and values changed by compare-and-swap."""
