# Generated from topology/_async/attachments.py by scripts/generate_sync.py: edit that one.
"""Keep, for threads, what works on a backend's connections and has to be closed before they are."""

from __future__ import annotations

from typing import Protocol


class Attached(Protocol):
    """An object that uses a backend and must be closed before it."""

    def close(self) -> None:
        """Close the object."""
        ...


class Attachments:
    """Objects that use a backend, in the order in which they came."""

    def __init__(self) -> None:
        self._parts: list[Attached] = []

    def add(self, part: Attached) -> None:
        """Keep an object."""
        self._parts.append(part)

    def remove(self, part: Attached) -> None:
        """Forget an object that closes itself, or has been closed."""
        self._parts = [one for one in self._parts if one is not part]

    def all(self) -> list[Attached]:
        """Return the objects, in the order in which they came."""
        return list(self._parts)

    def close(self) -> None:
        """Close and forget them all, the last one first; each knows what of it works in this process."""
        while (part := self._last()) is not None:
            part.close()

    def _last(self) -> Attached | None:
        try:
            return self._parts.pop()
        except IndexError:  # another thread may be closing them too
            return None
