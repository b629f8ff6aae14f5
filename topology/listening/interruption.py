"""Notice when messages come again after a connection to listen on was lost."""

from __future__ import annotations

from time import monotonic

from ..address import Address
from ..observing import NoticeKind, Notices


class Interruption:
    """The servers whose connection to listen on was lost, and when."""

    def __init__(self, notices: Notices, what: str) -> None:
        self._notices = notices
        self._what = what
        self._since: dict[Address, float] = {}

    def begin(self, address: Address) -> None:
        """Take note that the connection to a server is lost."""
        self._since.setdefault(address, monotonic())

    def end(self, address: Address, primaries: list[Address]) -> None:
        """Take note that messages come from a server; tell of it if it was lost, or one whose place it has taken."""
        since = [self._since.pop(address, None)]
        since += [self._since.pop(gone) for gone in list(self._since) if gone not in primaries]
        lost = [one for one in since if one is not None]
        if lost:
            seconds = monotonic() - min(lost)
            self._notices.tell(NoticeKind.RESUMED, what=self._what, node=str(address), seconds=seconds)
