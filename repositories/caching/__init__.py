"""Cache reference data and values of any type in front of a database."""
