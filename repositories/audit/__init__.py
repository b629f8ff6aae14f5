"""Compare what is stored with what follows from orders, fills and events, and repair what these prove."""
