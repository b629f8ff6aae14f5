"""Notice once that a server has no connection any more, and once that it has one again."""

from __future__ import annotations

from time import monotonic

from ...models.errors import SlotbookError
from ..address import Address
from ..observing import NoticeKind, Notices


class Outage:
    """The time from the first failure of a server's connections until one is opened again."""

    __slots__ = ("_began", "_failures", "_node", "_notices")

    def __init__(self, address: Address, notices: Notices | None) -> None:
        self._node = str(address)
        self._notices = notices
        self._began: float | None = None
        self._failures = 0

    def on_failure(self, error: BaseException) -> None:
        """Take note that a connection broke, or could not be opened; tell of the first such."""
        if self._notices is None or isinstance(error, SlotbookError):  # the book was closed, or its pool is full
            return
        self._failures += 1
        if self._began is None:
            self._began = monotonic()
            reason = f"{type(error).__name__}: {error}".rstrip(".")
            self._notices.tell(NoticeKind.CONNECTION_LOST, node=self._node, reason=reason)

    def on_opened(self) -> None:
        """Take note that a connection is open; tell of it when there was a failure before."""
        began, failures = self._began, self._failures
        self._began, self._failures = None, 0
        if began is not None and self._notices is not None:
            seconds = monotonic() - began
            self._notices.tell(NoticeKind.RECONNECTED, node=self._node, seconds=seconds, failures=failures)
