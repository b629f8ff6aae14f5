"""Describe what an observer is told of a book's calls.

>>> class Slow:
...     def calls_ended(self, calls):
...         for call in calls:
...             if call.seconds > 0.1:
...                 print(call)
...
...     def noticed(self, notice):
...         print(notice)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from ..address import Address
from ..call import Call
from .notices import Notice
from .outcomes import CallOutcome
from .verbs import verb_of

NOWHERE = Address("", 0)
"""The address of a call that was not sent to any server."""


@dataclass(frozen=True, slots=True)
class FailedTry:
    """A try of a call that brought no value."""

    node: str
    """The server that it went to."""
    reason: str
    """The code of the server's error, such as ``LOADING``, or the kind of the connection's failure."""
    is_reply: bool
    """True when the server answered with the error."""
    seconds: float
    """The seconds from the begin of the call to this failure."""


@dataclass(frozen=True, slots=True)
class ObservedServers:
    """The servers of a book, as its URL says them."""

    topology: str
    """``standalone``, ``sentinel`` or ``cluster``."""
    addresses: tuple[Address, ...]
    """The server, the Sentinels, or some nodes of the cluster."""
    database: int
    """The number of the database."""


class ObservedCall(NamedTuple):
    """One call that has ended.

    A call is one round trip if nothing fails; a verb of the book makes one or several of them.
    """

    servers: ObservedServers
    """The servers of its book."""
    described: Call[Any] | Callable[[], Call[Any] | None]
    """The call as it was sent, or a function that builds it; ``verb`` and ``command`` are read from that."""
    address: Address
    """The server that it was sent to last; with an empty host if it was sent to none."""
    seconds: float
    """The seconds that the caller waited, for all tries and the pauses between them; of a batch, for all of it."""
    outcome: CallOutcome
    error: BaseException | None = None
    """The error that the caller gets, whose text may have ids of orders in it; None for none."""
    tries: int = 1
    """The number of times that it was sent, or should have been and its server was not reached."""
    failures: Sequence[FailedTry] = ()
    """The tries that brought no value, in their order; redirects and loads of a script are among them."""

    @property
    def verb(self) -> str:
        """The thing that was done, such as ``place`` or ``get limits``: one of few words, and nothing of an order."""
        call = self._call
        return "change" if call is None else verb_of(call.name)

    @property
    def command(self) -> str:
        """The command that was sent, such as ``EVALSHA``; "" for a call that was never built."""
        call = self._call
        return "" if call is None else call.packed.split(b"\r\n", 3)[2].decode()

    @property
    def is_script(self) -> bool:
        """True when it runs a script on the server."""
        call = self._call
        return call is not None and call.script is not None

    @property
    def node(self) -> str:
        """The server that it was sent to last, as ``host:port``; "" for none."""
        return str(self.address)

    @property
    def _call(self) -> Call[object] | None:
        described = self.described
        return cast("Call[object]", described) if isinstance(described, Call) else described()

    def __repr__(self) -> str:
        at = f" at {self.node}" if self.address.host else ""
        return f"<{self.verb}{at}: {self.outcome} after {self.seconds:.6f} s, {self.tries} tries>"


class Observer(Protocol):
    """An object that is told of every call of a book when it has ended, and of what goes wrong with its servers.

    ::

        book = slotbook.connect(url, observer=Slow())

    Its methods are called by the thread or task that made the call, before that gets its result: so they have to be
    quick, and may not use the book. What they raise changes nothing for the caller: the first time, it is logged to
    ``slotbook.observer``. Who derives from this class may leave out a method.
    """

    def calls_ended(self, calls: Sequence[ObservedCall]) -> None:
        """Take a call that has ended, or all calls of one batch, in their order; each call comes once."""

    def noticed(self, notice: Notice) -> None:
        """Take a notice of something rare, which is logged too; here none is left out when there are many."""
