"""Take executions of orders back, or put them right."""
