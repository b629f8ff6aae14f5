"""Read, follow, share and publish the events of traders' books."""
