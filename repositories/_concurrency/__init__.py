"""Twins written by hand: classes whose versions for asyncio and for threads cannot be generated from one another."""
