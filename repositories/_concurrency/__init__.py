"""Hand-written twins: what asyncio and threads do so differently that neither can be generated from the other."""
