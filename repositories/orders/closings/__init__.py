"""End orders: cancel, reject, expire and calculate them."""
