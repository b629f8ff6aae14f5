"""Open connections to one server and exchange commands and replies: for asyncio and for threads."""
