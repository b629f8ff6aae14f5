"""Listen to servers that speak unasked: channels and client tracking."""
