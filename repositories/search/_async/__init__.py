"""The repositories of this folder, for asyncio."""
