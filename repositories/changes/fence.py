"""Changes that are only made while a lock is held.

A holder that was stopped for longer than its lease does not know it when it goes on. So a change under a lock carries
the fence of its grant, and the script that would make the change compares it with the lock, in the same atomic step.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...models.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class Fence:
    """One grant of one lock."""

    key: str
    trader: str | None
    """Whose changes it can fence: the lock lives in that trader's slot. None for a lock of the whole desk."""
    number: int

    def of(self, trader: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """What a change of a trader's book sends along: the lock's key, and the fence. Raises InvalidArgument."""
        if trader != self.trader:
            whose = f"{self.trader}'s" if self.trader else "the whole desk's, which lives in no trader's slot"
            raise InvalidArgument(f"{self.key} cannot fence a change of {trader}'s book: it is {whose}")
        return (self.key,), (self.number,)


class _NoFence(Fence):
    def of(self, trader: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
        return (), ()


NO_FENCE = _NoFence("", None, 0)
"""For changes that need no lock."""
