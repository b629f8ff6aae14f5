"""Make changes only while a lock is held.

A holder that was stopped for longer than its lease does not notice it when it goes on. So a change under a lock carries
the fence of its grant, and the script that would make the change compares it with the lock, in the same atomic step.
"""

from __future__ import annotations

from typing import NamedTuple

from ...models.errors import InvalidArgument


class FenceArguments(NamedTuple):
    """The part of a change's keys and arguments that fences it, named as in the scripts."""

    lock: str | None
    """The lock's key; None for a change without a lock."""
    fence: int | str
    """The number of the grant; empty for a change without a lock."""


class Fence:
    """One grant of one lock; ``NO_FENCE`` is for changes without a lock."""

    __slots__ = ("_trader", "arguments")

    def __init__(self, key: str | None, trader: str | None, number: int) -> None:
        self._trader = trader
        self.arguments = FenceArguments(key, "" if key is None else number)

    def check_trader(self, trader: str) -> None:
        """Raise InvalidArgument if the lock cannot fence a trader's changes, because it is in another slot."""
        key = self.arguments.lock
        if key is not None and trader != self._trader:
            whose = f"{self._trader}'s" if self._trader else "the whole desk's, which lives in no trader's slot"
            raise InvalidArgument(f"{key} cannot fence a change of {trader}'s book: it is {whose}")


NO_FENCE = Fence(None, None, 0)
