"""Record what a venue says of an order, and what it is asked."""
