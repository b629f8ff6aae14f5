"""Cache and query the reference data of symbols."""
