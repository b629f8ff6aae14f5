"""Keep, for asyncio, what works on a backend's connections and has to be closed before they are."""

from __future__ import annotations

from typing import Protocol


class AsyncAttached(Protocol):
    """An object that uses a backend and must be closed before it."""

    async def close(self) -> None:
        """Close the object."""
        ...


class AsyncAttachments:
    """Objects that use a backend, in the order in which they came."""

    def __init__(self) -> None:
        self._parts: list[AsyncAttached] = []

    def add(self, part: AsyncAttached) -> None:
        """Keep an object."""
        self._parts.append(part)

    def remove(self, part: AsyncAttached) -> None:
        """Forget an object that closes itself, or has been closed."""
        self._parts = [one for one in self._parts if one is not part]

    def all(self) -> list[AsyncAttached]:
        """Return the objects, in the order in which they came."""
        return list(self._parts)

    async def close(self) -> None:
        """Close and forget them all, the last one first; each knows what of it works in this process."""
        while (part := self._last()) is not None:
            await part.close()

    def _last(self) -> AsyncAttached | None:
        try:
            return self._parts.pop()
        except IndexError:  # another thread may be closing them too
            return None
