"""Tell what is rare and worth knowing of a book's servers: to ``logging``, and to the book's observer.

A record has its numbers and names in ``extra`` too, as ``slotbook_…``, for logs that programs read. None has a URL, a
password or anything of an order in it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Protocol, TypeAlias

from ...models.errors import SlotbookError, StateLost

FieldValue: TypeAlias = "str | int | float"

SHORTEST_QUIET, LONGEST_QUIET = 1.0, 60.0
"""Seconds between two lines of the same kind about the same: the first such time, and the longest."""


MOST_KNOWN = 10_000
"""The number of things of which it is remembered that there was a line about them."""


class NoticeKind(StrEnum):
    """The things that are noticed."""

    PRIMARY_CHANGED = "primary_changed"
    """Other servers are primaries than before: ``before`` and ``after`` name those that went and came."""
    CONNECTION_LOST = "connection_lost"
    """A connection to ``node`` broke, or could not be opened, because of ``reason``."""
    RECONNECTED = "reconnected"
    """``node`` has a connection again, ``seconds`` after the first of ``failures``."""
    RETRY = "retry"
    """``verb`` (of ``calls`` calls) is tried again after a pause of ``seconds``, as try ``tries``: ``reason``."""
    GAVE_UP = "gave_up"
    """``verb`` (of ``calls`` calls) was not answered within ``seconds``; of ``unknown`` the outcome is unknown."""
    STATE_LOST = "state_lost"
    """Servers have lost changes ``first`` to ``last`` of ``trader`` which they had acknowledged."""
    RESUMED = "resumed"
    """``what`` gets messages from ``node`` again, ``seconds`` after its connection was lost."""


_LINES: Mapping[NoticeKind, tuple[str, int, str]] = {
    NoticeKind.PRIMARY_CHANGED: ("topology", logging.WARNING, "primary changed from %(before)s to %(after)s"),
    NoticeKind.CONNECTION_LOST: ("connections", logging.WARNING, "no connection to %(node)s: %(reason)s"),
    NoticeKind.RECONNECTED: (
        "connections",
        logging.INFO,
        "connected to %(node)s again after %(seconds).3f s and %(failures)d failures",
    ),
    NoticeKind.RETRY: (
        "calls",
        logging.WARNING,
        "%(verb)s is tried again after %(seconds).3f s (try %(tries)d, %(calls)d calls): %(reason)s",
    ),
    NoticeKind.GAVE_UP: (
        "calls",
        logging.ERROR,
        "gave up %(verb)s after %(seconds).3f s (%(calls)d calls, of %(unknown)d the outcome is unknown): %(reason)s",
    ),
    NoticeKind.STATE_LOST: (
        "loss",
        logging.ERROR,
        "the servers have lost changes %(first)d to %(last)d of trader %(trader)s, which they had acknowledged; "
        "apply the journal again",
    ),
    NoticeKind.RESUMED: (
        "listening",
        logging.INFO,
        "%(what)s: messages come from %(node)s again, %(seconds).3f s after the connection was lost",
    ),
}
"""For each kind the logger under ``slotbook``, the level, and the line."""
_PARTS = ("node", "verb", "trader", "what")
"""The fields by which two notices of one kind are about the same."""

OBSERVER_LOG = logging.getLogger("slotbook.observer")
"""An observer that fails is not silent, wherever logs go: so this logger has no handler of its own."""
for _name in sorted({line[0] for line in _LINES.values()}):
    logging.getLogger(f"slotbook.{_name}").addHandler(logging.NullHandler())  # a library prints nothing by itself


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that was noticed, such as that a primary was replaced."""

    kind: NoticeKind
    fields: Mapping[str, FieldValue]
    """Its names and numbers, by what the kind calls them."""

    def __str__(self) -> str:
        return _LINES[self.kind][2] % self.fields


class NoticeTaker(Protocol):
    """An object that takes notices, such as an observer."""

    def noticed(self, notice: Notice) -> None:
        """Take a notice."""
        ...


class Notices:
    """The place to which the notices of one book go."""

    def __init__(self, observer: NoticeTaker | None = None) -> None:
        self._observer = observer
        self._observer_failed = False
        self._throttle = Throttle()

    def tell(self, kind: NoticeKind, **fields: FieldValue) -> None:
        """Log a notice, unless there were many about the same, and pass it to the observer. Raises nothing of theirs.

        A line says how many were not logged since the last one about the same.
        """
        if self._observer is not None:
            try:
                self._observer.noticed(Notice(kind, fields))
            except Exception:
                self.on_observer_failed()
        name, level, line = _LINES[kind]
        logger = logging.getLogger(f"slotbook.{name}")
        if not logger.isEnabledFor(level):
            return
        left_out = self._throttle.left_out((kind, *(fields.get(part) for part in _PARTS)))
        if left_out is None:
            return
        said: dict[str, FieldValue] = {**fields, "left_out": left_out}
        extra = {"slotbook_event": kind.value, **{f"slotbook_{name}": value for name, value in said.items()}}
        logger.log(
            level, f"{line}; %(left_out)d more like this since the last line" if left_out else line, said, extra=extra
        )

    def on_raised(self, error: SlotbookError) -> None:
        """Tell of a loss, if that is what the error says that somebody is about to get."""
        if isinstance(error, StateLost):
            self.tell(NoticeKind.STATE_LOST, trader=error.trader, first=error.first, last=error.last)

    def on_observer_failed(self) -> None:
        """Log the error that an observer has just raised, if it is the first."""
        if not self._observer_failed:
            self._observer_failed = True
            OBSERVER_LOG.exception("the observer has failed; its errors change no call, and no more are logged")


class Throttle:
    """Let the first of many through, then fewer and fewer, and count the others."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[float, float, int]] = {}
        """By what it is about: the time until which it is quiet, how long that is, and how many were left out."""

    def left_out(self, about: object) -> int | None:
        """Return how many were left out before one that goes through; None for one that does not."""
        now = monotonic()
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        until, quiet, left_out = self._known.get(about, (0.0, 0.0, 0))
        if now < until:
            self._known[about] = until, quiet, left_out + 1
            return None
        if now > until + LONGEST_QUIET:
            quiet = 0.0
        quiet = min(LONGEST_QUIET, max(SHORTEST_QUIET, 2 * quiet))
        self._known[about] = now + quiet, quiet, 0
        return left_out
