# Generated from topology/_async/attachments.py by scripts/generate_sync.py: edit that one.
"""Keep, for threads, what works on a backend's connections and has to be closed before they are."""

from __future__ import annotations

import os
from typing import Protocol


class Attached(Protocol):
    """An object that uses a backend and must be closed before it."""

    def close(self) -> None:
        """Close the object."""
        ...


class Attachments:
    """Objects that use a backend, in the order in which they came."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, Attached]] = []
        """Each with the process that it works in."""

    def add(self, part: Attached) -> None:
        """Keep an object that works in this process."""
        self._parts.append((os.getpid(), part))

    def remove(self, part: Attached) -> None:
        """Forget an object that closes itself, or has been closed."""
        self._parts = [one for one in self._parts if one[1] is not part]

    def close(self) -> None:
        """Close and forget them all, the last one first; in a forked child, those of the parent are left alone."""
        while self._parts:
            *self._parts, (process, part) = self._parts
            if process == os.getpid():
                part.close()
