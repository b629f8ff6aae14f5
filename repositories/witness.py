"""What a server has acknowledged, so that a loss does not go unseen.

Replication is asynchronous: a replica that takes over may lack the last changes that the old primary acknowledged. Its
sequence numbers then start again below what was acknowledged, and the next change of that trader shows it.
"""

from __future__ import annotations

from typing import TypeVar

from ..models.errors import StateLost

T = TypeVar("T")

MOST_TRADERS = 100_000


class Witness:
    """The highest sequence number that each trader's changes were acknowledged with."""

    def __init__(self) -> None:
        self._acknowledged: dict[str, int] = {}

    def seen(self, trader: str) -> int:
        """What had been acknowledged before a call is sent; 0 for nothing."""
        return self._acknowledged.get(trader, 0)

    def traders(self) -> dict[str, int]:
        """The traders that this book has changed, with the highest number of each."""
        return dict(self._acknowledged)

    def check(self, trader: str, before: int, sequence: int, result: T) -> T:
        """Take the acknowledgement of a change that was sent when ``before`` was the highest; returns its result.

        Raises StateLost when the change got a number that another change was acknowledged with before it was sent.
        """
        if sequence <= before:
            last = self.seen(trader)
            self._acknowledged[trader] = sequence
            raise StateLost(trader, sequence, max(last, before), result)
        if sequence > self.seen(trader):
            if len(self._acknowledged) >= MOST_TRADERS:
                self._acknowledged.clear()
            self._acknowledged[trader] = sequence
        return result

    def check_last(self, trader: str, before: int, last: int) -> None:
        """Take the number of a book's last change, asked for when ``before`` was acknowledged. Raises StateLost."""
        if last < before:
            self._acknowledged[trader] = last
            raise StateLost(trader, last + 1, before, None)
