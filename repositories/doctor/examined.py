"""Read what one server has answered, and what all of a deployment have. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ...topology.call import Reply
from ...topology.inspection import Answer, ClockReading, Member, ServerKind
from ...topology.settings import Settings
from .findings import Opinion
from .queries import COMMANDS, CONFIG, INFO, WHOAMI, Query


class NotTold(Exception):
    """Raised when a server's answer lacks what a check needs; its text is the name of what is missing.

    ``query`` is the question that has no reply, if that is why.
    """

    def __init__(self, what: str, query: Query | None = None) -> None:
        super().__init__(what)
        self.query = query


@dataclass(frozen=True)
class Examined:
    """One server, and its answers to what it was asked."""

    member: Member
    answers: Mapping[Query, Answer]
    clock: ClockReading | None = None

    @property
    def name(self) -> str:
        """The server's address."""
        return self.member.name

    @property
    def kind(self) -> ServerKind:
        """The server's part in its deployment."""
        return self.member.kind

    def reply(self, query: Query) -> Reply:
        """Return the reply to a query. Raises NotTold when there is none."""
        answer = self.answers.get(query)
        if answer is None or answer.failure is not None:
            raise NotTold(query.name, query)
        return answer.reply

    def info(self, field: str) -> str:
        """Return a field of INFO. Raises NotTold."""
        return _of(self._info, f"{field} in INFO", field)

    def has_info(self, field: str) -> bool:
        """Return True if INFO has a field, which depends on the server's version and part."""
        return field in self._info

    def number(self, field: str) -> float:
        """Return a number in INFO. Raises NotTold."""
        return number_in(self.info(field), f"{field} in INFO")

    def has_module(self, name: str) -> bool:
        """Return True if a module is loaded."""
        return f"module:name={name}," in str(self.reply(INFO))

    def rows(self, beginning: str) -> list[dict[str, str]]:
        """Return the fields of each numbered row of INFO, such as those of ``slave0``, ``slave1``."""
        found = [text for name, text in self._info.items() if name.removeprefix(beginning).isdecimal()]
        return [{name: value for name, _, value in (part.partition("=") for part in text.split(","))} for text in found]

    def config(self, name: str) -> str:
        """Return a setting of the server (CONFIG GET). Raises NotTold."""
        return _of(self._config, name, name)

    def amount(self, name: str) -> float:
        """Return a setting of the server that is a number. Raises NotTold."""
        return number_in(self.config(name), name)

    @property
    def user(self) -> str | None:
        """The user that asked, if the server says it."""
        answer = self.answers.get(WHOAMI)
        return answer.reply if answer is not None and isinstance(answer.reply, str) else None

    @property
    def unreached(self) -> str | None:
        """The reason why the server has not answered at all; None if it has."""
        answer = next(iter(self.answers.values()))
        return answer.failure if answer.unreached else None

    @cached_property
    def lacks(self) -> frozenset[str]:
        """The commands of Slotbook's that the server does not have. Raises NotTold."""
        rows = self.reply(COMMANDS)
        if not isinstance(rows, list) or len(rows) != len(COMMANDS.words) - 2:
            raise NotTold(COMMANDS.name)
        return frozenset(word for word, row in zip(COMMANDS.words[2:], rows, strict=True) if not row)

    @cached_property
    def _info(self) -> dict[str, str]:
        text = self.reply(INFO)
        lines = text.splitlines() if isinstance(text, str) else []
        return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}

    @cached_property
    def _config(self) -> dict[str, str]:
        return pairs(self.reply(CONFIG))


@dataclass(frozen=True)
class Deployment:
    """All servers of a book that were found, and the book's settings."""

    servers: tuple[Examined, ...]
    settings: Settings
    seeds: int
    """The number of servers that the URL names."""
    user: str | None = None
    """The user whose permissions are examined, if that is not the one that asks."""

    def of(self, *kinds: ServerKind) -> list[Examined]:
        """Return the servers with one of some parts that have answered."""
        return [server for server in self.servers if server.kind in kinds and server.unreached is None]

    @property
    def has_sentinels(self) -> bool:
        """True if Sentinels watch the primary."""
        return any(server.kind is ServerKind.SENTINEL for server in self.servers)


Judge = Callable[[Examined, Deployment], Iterable[Opinion]]
"""Looks at one server, and gives its opinions. Raises NotTold when it cannot."""

DATA = (ServerKind.PRIMARY, ServerKind.REPLICA)
PRIMARIES = (ServerKind.PRIMARY,)
REPLICAS = (ServerKind.REPLICA,)
SENTINELS = (ServerKind.SENTINEL,)


@dataclass(frozen=True, slots=True)
class Check:
    """One row of what a doctor looks at."""

    name: str
    of: tuple[ServerKind, ...]
    """The parts of the servers that it is made of."""
    reads: tuple[Query, ...]
    """The queries without whose replies nothing can be said."""
    judge: Judge


def pairs(reply: Reply) -> dict[str, str]:
    """Return a flat list of names and values as a mapping, without values that are no text or number."""
    words = reply if isinstance(reply, list) else []
    return {str(name): str(value) for name, value in zip(words[::2], words[1::2], strict=False)}


def number_in(text: str, what: str) -> float:
    """Return the number that a text is. Raises NotTold."""
    try:
        return float(text)
    except ValueError:
        raise NotTold(what) from None


def size(count: float) -> str:
    """Return a number of bytes as people read it.

    >>> size(512), size(3 * 2**20), size(1.5 * 2**30)
    ('512 B', '3 MiB', '1.5 GiB')
    """
    for unit in ("B", "KiB", "MiB"):
        if abs(count) < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} GiB"


def _of(found: Mapping[str, str], what: str, name: str) -> str:
    if name not in found:
        raise NotTold(what)
    return found[name]
