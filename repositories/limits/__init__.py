"""Set and read the limits of traders, and turn the switch of trading."""
