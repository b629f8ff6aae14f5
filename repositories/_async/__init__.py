"""The repositories, for asyncio."""
