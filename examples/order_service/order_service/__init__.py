"""An order service for a desk, and a worker that watches its losses."""
