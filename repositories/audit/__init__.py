"""Compare what is stored with what orders, fills and events say, and repair what can be repaired."""
