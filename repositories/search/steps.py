"""How a search goes, step by step, on any number of shards. No I/O and no colour.

Each shard finds identities, and the records are read by their keys. What a shard gives in order is only as exact as
doubles are, so a page is taken from what is certain to come before everything that was not fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Generic, TypeVar, cast

from ...models.errors import InvalidArgument, OutcomeUnknown, Unavailable, UnexpectedReply
from ...models.record import Record
from ...topology.call import Call
from ...topology.shards import Shards
from ...topology.steps import Steps, ask_many, locate
from .advice import no_index, no_search
from .bounds import coarse, is_told_apart
from .calls import Chunk, SearchCalls, SortKey, capability
from .condition import Hits, Identity, Written, matches
from .query import Query

R = TypeVar("R", bound=Record)
T = TypeVar("T")

TRIES = 4
"""Searches begun again because a primary was replaced, or slots changed hands, in the middle of one."""
LONGEST_TOP = 10_000
"""First ones that a shard is asked for; for more it is asked for all."""
COUNTED_AT_ONCE = 500


class Restart(Exception):
    """A search cannot be gone on with; it has to begin again."""


class SearchSteps(Generic[R]):
    """The searches of one book in one kind of record."""

    def __init__(self, calls: SearchCalls[R]) -> None:
        self._calls = calls
        self._spread: bool | None = None
        """Whether one server searches for its whole cluster; None until it is known."""

    def everything(self, query: Query[R], orders: Sequence[SortKey]) -> Steps[list[R]]:
        """Every match, in order."""
        found = yield from self._gather(query, query.candidates)
        hits = yield from self._hits(query)
        records = yield from self._read(query, found, hits)
        return self._sorted(records, orders)

    def page(self, query: Query[R], orders: Sequence[SortKey], offset: int, limit: int) -> Steps[list[R]]:
        """The matches from ``offset`` on, in order. Raises InvalidArgument."""
        for name, number in (("offset", offset), ("limit", limit)):
            if type(number) is not int or number < 0:
                raise InvalidArgument(f"page: {name} {number!r} is not a number of records, 0 or more")
        wanted = offset + limit
        written = query.candidates
        if not limit or written is None:
            return []
        hits = yield from self._hits(query)
        most = max(wanted, 16)
        while most <= LONGEST_TOP:
            shares = yield from self._on_all(query, partial(self._calls.first, written, orders, most))
            records = yield from self._read(query, [one for share in shares for one in share.identities], hits)
            settled = self._settled(records, shares, orders, most)
            if settled is None or len(settled) >= wanted:
                ordered = self._sorted(records if settled is None else settled, orders)
                return ordered[offset:wanted]
            most *= 4
        return (yield from self.everything(query, orders))[offset:wanted]

    def count(self, query: Query[R]) -> Steps[int]:
        """How many matches there are."""
        certain = yield from self._gather(query, query.certain)
        counted = 0
        groups = groupby(sorted(certain), key=lambda identity: identity[0])
        alike = [list(group) for _, group in groups]
        calls = [
            self._calls.existing(group[start : start + COUNTED_AT_ONCE])
            for group in alike
            for start in range(0, len(group), COUNTED_AT_ONCE)
        ]
        for outcome in (yield from ask_many(calls)):
            counted += outcome.result()
        if query.doubtful is None:
            return counted
        found = yield from self._gather(query, query.doubtful)
        hits = yield from self._hits(query)
        counted_already = set(certain)
        doubtful = yield from self._read(query, [one for one in found if one not in counted_already], hits)
        return counted + len(doubtful)

    def _gather(self, query: Query[R], written: Written | None) -> Steps[list[Identity]]:
        """Every identity that a query finds, once."""
        if written is None:
            return []
        last = ""
        for _ in range(TRIES):
            try:
                return (yield from self._gathered(query, written))
            except Restart as error:
                last = str(error)
        raise Unavailable(f"search: begun {TRIES} times and interrupted each time ({last})")

    def _gathered(self, query: Query[R], written: Written) -> Steps[list[Identity]]:
        tags, chunks = yield from self._answers(query, lambda tag: self._calls.all(tag, written))
        found: dict[Identity, None] = {}
        while True:
            for chunk in chunks.values():
                found.update(dict.fromkeys(chunk.identities))
            left = {tag: chunk.cursor for tag, chunk in chunks.items() if chunk.cursor}
            if not left:
                break
            outcomes = yield from ask_many([self._calls.more(tag, cursor) for tag, cursor in left.items()])
            chunks = {}
            for tag, outcome in zip(left, outcomes, strict=True):
                if isinstance(outcome.error, OutcomeUnknown | UnexpectedReply):
                    raise Restart(str(outcome.error))
                chunks[tag] = outcome.result()
        if (yield from locate(fresh=True)) != tags:
            raise Restart("slots have changed hands")
        return list(found)

    def _on_all(self, query: Query[R], call: Callable[[str], Call[Chunk]]) -> Steps[list[Chunk]]:
        """One call for each shard, at a time when no slot changed hands."""
        for _ in range(TRIES):
            tags, chunks = yield from self._answers(query, call)
            if (yield from locate(fresh=True)) == tags:
                return list(chunks.values())
        raise Unavailable(f"search: slots changed hands during each of {TRIES} searches")

    def _answers(self, query: Query[R], call: Callable[[str], Call[Chunk]]) -> Steps[tuple[Shards, dict[str, Chunk]]]:
        shards = yield from locate()
        for last in (False, True):
            asked = yield from self._asked(query, shards)
            outcomes = yield from ask_many([call(tag) for tag in asked])
            errors = [outcome.error for outcome in outcomes if outcome.error is not None]
            if not errors:
                break
            before, shards = shards, (yield from locate(fresh=True))
            if last or shards == before:
                raise no_index(self._calls.stored, errors[0])
        return shards, {tag: outcome.result() for tag, outcome in zip(asked, outcomes, strict=True)}

    def _asked(self, query: Query[R], shards: Shards) -> Steps[Sequence[str]]:
        if self._spread is None:
            (outcome,) = yield from ask_many([capability(self._calls.alias(shards.tags[0]))])
            self._spread = outcome.result()
            if self._spread is None:
                raise no_search(self._calls.stored, query.node)
        return shards.tags[:1] if self._spread else shards.tags

    def _hits(self, query: Query[R]) -> Steps[Hits]:
        """What the full text searches in a query find, where its answer has to be looked through."""
        if query.doubtful is None:
            return {}
        hits: dict[object, frozenset[Identity]] = {}
        for words, written in query.words:
            hits[words] = frozenset((yield from self._gather(query, written)))
        return cast(Hits, hits)

    def _read(self, query: Query[R], found: Sequence[Identity], hits: Hits) -> Steps[list[R]]:
        """The records that are still there and, as they are now, still match."""
        found = list(dict.fromkeys(found))
        outcomes = yield from ask_many([self._calls.record(identity) for identity in found])
        records: list[R] = []
        for identity, outcome in zip(found, outcomes, strict=True):
            record = outcome.result()
            if record is not None and matches(query.node, record, identity, hits) is not False:
                records.append(record)
        return records

    def _settled(
        self, records: Sequence[R], shares: Sequence[Chunk], orders: Sequence[SortKey], most: int
    ) -> list[R] | None:
        """Those that come before everything not fetched; None when everything was."""
        known = {self._calls.stored.identity_of(record): record for record in records}
        settled, open_ended = list(records), False
        for share in shares:
            if len(share.identities) < most:
                continue
            open_ended = True
            edge = next((known[identity] for identity in reversed(share.identities) if identity in known), None)
            if edge is None:
                return []
            settled = [record for record in settled if self._is_before(record, edge, orders)]
        return settled if open_ended else None

    def _is_before(self, record: R, edge: R, orders: Sequence[SortKey]) -> bool:
        """Whether a record is certain to come before whatever a server would have given after the edge."""
        stored = self._calls.stored
        for by in orders:
            field = stored.fields[by.field]
            one, other = (coarse(field, getattr(each, by.field)) for each in (record, edge))
            if one == other:
                if not is_told_apart(field, getattr(edge, by.field)):
                    return False
            elif one is None or other is None:
                return other is None
            else:
                return (one > other) if by.descending else (one < other)  # type: ignore[operator]
        return stored.identity_of(record) <= stored.identity_of(edge)

    def _sorted(self, records: Sequence[R], orders: Sequence[SortKey]) -> list[R]:
        """In order, exactly; those without the field last, and those alike by their identity."""
        result = sorted(records, key=self._calls.stored.identity_of)
        for by in reversed(orders):
            have = [record for record in result if getattr(record, by.field) is not None]
            have.sort(key=attrgetter(by.field), reverse=by.descending)
            result = [*have, *(record for record in result if getattr(record, by.field) is None)]
        return result


def sort_fields(calls: SearchCalls[R], names: Sequence[str]) -> tuple[SortKey, ...]:
    """What ``sort_by`` was given: names of fields, with a ``-`` before those that descend. Raises InvalidArgument."""
    orders: list[SortKey] = []
    for name in names:
        field = calls.stored.fields.get(str(name).removeprefix("-"))
        if field is None or not field.sortable:
            known = ", ".join(one.name for one in calls.stored.fields.values() if one.sortable)
            raise InvalidArgument(f"sort_by: {name!r} is not one of {known}")
        if all(field.name != by.field for by in orders):
            orders.append(SortKey(field.name, name.startswith("-")))
    return tuple(orders)
