"""What a server has acknowledged, so that a loss does not go unseen.

Replication is asynchronous: a replica that takes over may lack the last changes that the old primary acknowledged. So
every change tells the script the number of the last one that was acknowledged to this writer, and the writer's mark,
which its events carry. An event of that number with that mark proves that nothing before it is gone either, whoever
else has written since.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Protocol, TypeVar

from ..models.errors import Refused, StateLost
from ..topology.call import Reply
from .replies import rows

MOST_TRADERS = 100_000


class Changed(Protocol):
    """A result of a change."""

    @property
    def applied(self) -> bool: ...

    @property
    def sequence(self) -> int: ...


T = TypeVar("T")
C = TypeVar("C", bound=Changed)


class Witness:
    """The highest sequence number that each trader's changes were acknowledged with to one writer."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(4)
        self._acknowledged: dict[str, int] = {}

    def traders(self) -> list[str]:
        """The traders that this writer has changed."""
        return list(self._acknowledged)

    def told(self, trader: str) -> str:
        """What this writer was told of a trader's book, as the scripts take it."""
        return f"{self._acknowledged.get(trader, 0)} {self.mark}"

    def watch(self, trader: str, read: Callable[[list[Reply]], C]) -> Callable[[Reply], C]:
        """Read the answer to a change, and notice what it says of those before it.

        The reader raises StateLost when some of them are gone; it has the result of the change, or its refusal.
        """

        def watching(reply: Reply) -> C:
            first, reply = _split(rows(reply))
            try:
                result = read(reply)
            except Refused as refusal:
                if not first:
                    raise
                raise self._lost(trader, first, first - 1, None, refusal) from refusal
            if first:
                raise self._lost(trader, first, result.sequence if result.applied else first - 1, result, None)
            if result.applied:
                self._acknowledge(trader, result.sequence)
            return result

        return watching

    def ask(self, trader: str) -> Callable[[Reply], None]:
        """Read the answer to a question for the past alone. The reader raises StateLost."""

        def asking(reply: Reply) -> None:
            first, _ = _split(rows(reply))
            if first:
                raise self._lost(trader, first, first - 1, None, None)

        return asking

    def _acknowledge(self, trader: str, sequence: int) -> None:
        if sequence > self._acknowledged.get(trader, 0):
            if len(self._acknowledged) >= MOST_TRADERS:
                self._acknowledged.clear()
            self._acknowledged[trader] = sequence

    def _lost(self, trader: str, first: int, left: int, result: object, refusal: Refused | None) -> StateLost:
        last = max(first, self._acknowledged.get(trader, 0))
        self._acknowledged[trader] = left
        return StateLost(trader, first, last, result, refusal)


def _split(reply: list[Reply]) -> tuple[int, list[Reply]]:
    """The first number that was found lost, 0 for none, and the answer itself."""
    match reply:
        case ["lost", str(first), list(inner)]:
            return int(first), inner
        case _:
            return 0, reply
