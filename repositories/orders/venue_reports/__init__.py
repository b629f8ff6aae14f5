"""Bring orders to what a venue reports of them."""
