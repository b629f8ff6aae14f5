"""Bring the records of a model to its schema, trader by trader. Nothing here does I/O.

A trader's records are read page by page, those of an older schema are upgraded here, and each is written by a step of
the engine, if it still is as it was read. Then the trader is marked, by a script that first looks at what has changed
since the first page: so no record of an older schema slips through, whoever writes meanwhile. A server that has taken
another's place may have lost some of that; it does not know the run's last step then, and the run begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from ...models.entity import Entity
from ...models.errors import (
    CorruptRecord,
    HistoryTrimmed,
    NotUnique,
    SchemaMismatch,
    SlotbookError,
    Unavailable,
    UnderReplicated,
    WrongType,
)
from ...models.results import Outcome
from ...models.table import TableModel
from ...models.types import check_name, new_id
from ...topology.call import Call, PendingCall
from ..changes.verb import OlderRecord
from .rewriting import MIGRATE, MigrationCalls, Page, Rewrite

E = TypeVar("E", bound=Entity)

PASSES = 20
"""The most times that a trader's records are gone through, when servers lose what was written or events are trimmed."""


class LeftRecord(NamedTuple):
    """A record that could not be brought to its model's schema."""

    trader: str
    key: str
    """The text of its key."""
    reason: str


@dataclass(slots=True)
class Migration:
    """The number of records that were brought to a model's schema, and those that were not.

    ::

        done = book.table(Allocation).migrate()
        for record in done.left:
            print(record.trader, record.key, record.reason)
    """

    total: int = 0
    """The number of traders to go through."""
    traders: int = 0
    """The number of those that have been gone through."""
    current: int = 0
    """The number of those that were marked before, and so were not gone through again."""
    rewritten: int = 0
    """The number of records that were brought to the model's schema."""
    left: list[LeftRecord] = field(default_factory=list[LeftRecord])
    """The records that could not be; their traders are not marked."""
    unknown: list[str] = field(default_factory=list[str])
    """The traders of whom nothing is stored, and for whom nothing was written: perhaps a name is misspelt."""

    @property
    def is_complete(self) -> bool:
        """True when every trader is known, and every record of theirs is of the model's schema."""
        return self.traders == self.total and not self.left and not self.unknown


ToSend: TypeAlias = "Sequence[Call[Any]] | Sequence[PendingCall[Any]]"
R = TypeVar("R")
Sending: TypeAlias = Generator[ToSend, list[Outcome[Any]], R]
"""A generator of calls to send at once, which is sent their outcomes, and returns an R."""


class MigrationRun(Generic[E]):
    """One run over a model's records."""

    def __init__(
        self, calls: MigrationCalls[E], table: TableModel[E], progress: Callable[[Migration], object] | None
    ) -> None:
        self._calls = calls
        self._table = table
        self._progress = progress
        self.done = Migration()
        self._unconfirmed: UnderReplicated | None = None

    def all(self, traders: Iterable[str]) -> Sending[Migration]:
        """Return the steps that bring the records of some traders to the model's schema. Raises a SlotbookError."""
        names = sorted({check_name("trader", trader) for trader in traders})
        self.done.total = len(names)
        for trader in names:
            yield from self._trader(trader)
            self.done.traders += 1
            self._tell()
        if (error := self._unconfirmed) is not None:
            raise UnderReplicated(str(error), self.done, error.replicas, error.wanted)
        return self.done

    def _trader(self, trader: str) -> Sending[None]:
        problem: SlotbookError | None = None
        for _ in range(PASSES):
            try:
                if (yield from self._pass(trader)):
                    return
                problem = Unavailable(f"migrate {self._table.kind} of {trader}: a server has lost what was written")
            except HistoryTrimmed as error:
                problem = error
        raise cast("SlotbookError", problem)

    def _pass(self, trader: str) -> Sending[bool]:
        """Go through a trader's records once, and mark the trader. Return False when a server has lost a step."""
        calls, run, left = self._calls, new_id(), dict[str, str]()
        step, since, after, written = 1, -1, "", list[str]()
        while step == 1 or after:
            page = yield from self._ask(calls.older(trader, run, step, after, written))
            if page.ended:
                self.done.current += step == 1 and page.ended == "marked"
                if page.ended == "nothing":
                    self.done.unknown.append(trader)
                return page.ended != "lost"
            step, after = step + 1, page.after
            since = page.last if since < 0 else since
            written = yield from self._rewrite(trader, page.records, left)
        while True:
            after_all = "end" if left else "mark"
            page = yield from self._ask(calls.mark(trader, run, step, since, after_all, written))
            if page.ended:
                return page.ended == "marked"
            if left and not page.records:
                self.done.left += [LeftRecord(trader, key, reason) for key, reason in sorted(left.items())]
                return True
            step, since = step + 1, page.last
            written = yield from self._rewrite(trader, page.records, left)

    def _ask(self, call: Call[Page]) -> Sending[Page]:
        (outcome,) = yield [call]
        return cast("Page", self._confirmed(outcome).result())

    def _confirmed(self, outcome: Outcome[Any]) -> Outcome[Any]:
        """Return an outcome without the error of too few replicas, which is raised at the end."""
        if not isinstance(outcome.error, UnderReplicated):
            return outcome
        self._unconfirmed = outcome.error
        return Outcome(outcome.error.result)

    def _rewrite(
        self, trader: str, records: Mapping[str, Mapping[str, str]], left: dict[str, str]
    ) -> Sending[list[str]]:
        """Write records in the model's schema, again when they have changed meanwhile; note those that cannot be.

        Return the keys of those that were written, or were of the schema by then.
        """
        requests = list(self._upgraded(trader, records, left))
        while requests:
            grouped = self._calls.grouped(self._calls.checked(requests, MIGRATE))
            outcomes = grouped.outcomes((yield grouped.calls))
            changed: dict[str, Mapping[str, str]] = {}
            for request, outcome in zip(requests, map(self._confirmed, outcomes), strict=True):
                match outcome.error:
                    case None:
                        self.done.rewritten += outcome.value == "migrated"
                        left.pop(request.key_text, None)
                    case OlderRecord() as found:
                        changed[request.key_text] = found.instead[0]
                    case NotUnique() | CorruptRecord() | WrongType() as error:
                        left[request.key_text] = str(error)
                    case error:
                        raise error
            requests = list(self._upgraded(trader, changed, left))
        if records:
            self._tell()
        return [key for key in records if key not in left]

    def _upgraded(
        self, trader: str, records: Mapping[str, Mapping[str, str]], left: dict[str, str]
    ) -> Iterator[Rewrite]:
        keys = self._calls.keys.of(trader)
        for key, stored in records.items():
            try:
                yield Rewrite.of(self._table, keys.own_record(self._table.kind, key), trader, key, stored)
            except (CorruptRecord, SchemaMismatch) as error:
                left[key] = str(error)

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self.done)
