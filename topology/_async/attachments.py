"""Keep, for asyncio, what works on a backend's connections and has to be closed before they are."""

from __future__ import annotations

import os
from typing import Protocol


class AsyncAttached(Protocol):
    """An object that uses a backend and must be closed before it."""

    async def close(self) -> None:
        """Close the object."""
        ...


class AsyncAttachments:
    """Objects that use a backend, in the order in which they came."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, AsyncAttached]] = []
        """Each with the process that it works in."""

    def add(self, part: AsyncAttached) -> None:
        """Keep an object that works in this process."""
        self._parts.append((os.getpid(), part))

    def remove(self, part: AsyncAttached) -> None:
        """Forget an object that closes itself, or has been closed."""
        self._parts = [one for one in self._parts if one[1] is not part]

    async def close(self) -> None:
        """Close and forget them all, the last one first; in a forked child, those of the parent are left alone."""
        while self._parts:
            *self._parts, (process, part) = self._parts
            if process == os.getpid():
                await part.close()
