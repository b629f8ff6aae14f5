"""Change several records of one trader all or nothing."""
