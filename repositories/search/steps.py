"""Search any number of shards, step by step. Nothing here does I/O.

Each shard finds identities, and the records are read by their keys. A shard sorts no more exactly than doubles are, so
a page is taken from the records that certainly come before everything that was not fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar, cast

from ...models.arguments import whole
from ...models.errors import InvalidArgument, OutcomeUnknown, Unavailable, UnexpectedReply
from ...models.record import Record
from ...topology.call import Call
from ...topology.shards import Shards
from ...topology.steps import Steps, ask_many, locate
from .advice import no_index_error, no_search_error
from .bounds import sort_value, sorts_exactly
from .calls import IdentityPage, SearchCalls, SearchScope, SortKey, search_scope
from .condition import FullTextMatches, Identity, WrittenQuery, matches
from .query import Query

R = TypeVar("R", bound=Record)
T = TypeVar("T")

TRIES = 4
"""The number of times that a search is begun before it fails, when a primary is replaced or slots move in each."""
LONGEST_TOP = 10_000
"""The largest number of first matches that a shard is asked for; for a page beyond that it is asked for all matches."""
COUNTED_AT_ONCE = 500
"""The largest number of keys in one EXISTS."""


class SearchInterrupted(Exception):
    """Raised when a search has to begin again, with the reason."""


class _Answers(NamedTuple):
    """One page of each shard, by the shard's tag, and the shards as they were when they were asked."""

    shards: Shards
    pages: dict[str, IdentityPage]


class SearchSteps(Generic[R]):
    """The searches of one book in one kind of record."""

    def __init__(self, calls: SearchCalls[R]) -> None:
        self._calls = calls
        self._scope: SearchScope | None = None
        """The scope of one server's search; None until it is known."""

    def everything(self, query: Query[R], sort_keys: Sequence[SortKey]) -> Steps[list[R]]:
        """Return every match, sorted."""
        found = yield from self._gather(query, query.candidates)
        full_text = yield from self._full_text_matches(query)
        records = yield from self._read(query, found, full_text)
        return self._sorted(records, sort_keys)

    def page(self, query: Query[R], sort_keys: Sequence[SortKey], offset: int, limit: int) -> Steps[list[R]]:
        """Return at most ``limit`` matches from ``offset`` on, sorted. Raises InvalidArgument."""
        offset, limit = whole("page: offset", offset, 0), whole("page: limit", limit, 0)
        wanted = offset + limit
        written = query.candidates
        if not limit or written is None:
            return []
        is_filled = any(self._calls.stored.fields[key.field].filled for key in sort_keys)
        if is_filled or (sort_keys and (yield from self._gather(query, query.others))):
            return (yield from self.everything(query, sort_keys))[offset:wanted]
        full_text = yield from self._full_text_matches(query)
        most = max(wanted, 16)
        while most <= LONGEST_TOP:
            pages = yield from self._ask_every_shard(query, partial(self._calls.first, written, sort_keys, most))
            records = yield from self._read(query, [one for page in pages for one in page.identities], full_text)
            certain = self._certainly_first(records, pages, sort_keys, most)
            if certain is None or len(certain) >= wanted:
                ordered = self._sorted(records if certain is None else certain, sort_keys)
                return ordered[offset:wanted]
            most *= 4
        return (yield from self.everything(query, sort_keys))[offset:wanted]

    def count(self, query: Query[R]) -> Steps[int]:
        """Return how many matches there are."""
        others = yield from self._gather(query, query.others)
        of_others = set(others)
        certain = [one for one in (yield from self._gather(query, query.certain)) if one not in of_others]
        counted = 0
        groups = groupby(sorted(certain), key=lambda identity: identity[0])
        of_one_slot = [list(group) for _, group in groups]
        calls = [
            self._calls.existing(group[start : start + COUNTED_AT_ONCE])
            for group in of_one_slot
            for start in range(0, len(group), COUNTED_AT_ONCE)
        ]
        for outcome in (yield from ask_many(calls)):
            counted += outcome.result()
        if query.uncertain is None and not others:
            return counted
        found = [*others, *(yield from self._gather(query, query.uncertain))]
        full_text = yield from self._full_text_matches(query)
        counted_already = set(certain)
        records = yield from self._read(query, [one for one in found if one not in counted_already], full_text)
        return counted + len(records)

    def _gather(self, query: Query[R], written: WrittenQuery | None) -> Steps[list[Identity]]:
        """Return every identity that a query finds, once."""
        if written is None:
            return []
        last = ""
        for _ in range(TRIES):
            try:
                return (yield from self._gather_once(query, written))
            except SearchInterrupted as error:
                last = str(error)
        raise Unavailable(f"search: begun {TRIES} times and interrupted each time ({last})")

    def _gather_once(self, query: Query[R], written: WrittenQuery) -> Steps[list[Identity]]:
        """Read every page of every shard. Raises SearchInterrupted."""
        shards, pages = yield from self._answers(query, lambda tag: self._calls.all(tag, written))
        found: dict[Identity, None] = {}
        while True:
            for page in pages.values():
                found.update(dict.fromkeys(page.identities))
            cursors = {tag: page.cursor for tag, page in pages.items() if page.cursor}
            if not cursors:
                break
            outcomes = yield from ask_many([self._calls.more(tag, cursor) for tag, cursor in cursors.items()])
            pages = {}
            for tag, outcome in zip(cursors, outcomes, strict=True):
                if isinstance(outcome.error, OutcomeUnknown | UnexpectedReply):
                    raise SearchInterrupted(str(outcome.error))
                pages[tag] = outcome.result()
        if (yield from locate(fresh=True)) != shards:
            raise SearchInterrupted("slots have changed hands")
        return list(found)

    def _ask_every_shard(self, query: Query[R], call: Callable[[str], Call[IdentityPage]]) -> Steps[list[IdentityPage]]:
        """Return the answer of every shard to one call each, at a time when no slot moved."""
        for _ in range(TRIES):
            shards, pages = yield from self._answers(query, call)
            if (yield from locate(fresh=True)) == shards:
                return list(pages.values())
        raise Unavailable(f"search: slots changed hands during each of {TRIES} searches")

    def _answers(self, query: Query[R], call: Callable[[str], Call[IdentityPage]]) -> Steps[_Answers]:
        """Send one call to every shard; once more when some failed and the shards have changed."""
        shards = yield from locate()
        for is_last_try in (False, True):
            tags = yield from self._tags(query, shards)
            outcomes = yield from ask_many([call(tag) for tag in tags])
            errors = [outcome.error for outcome in outcomes if outcome.error is not None]
            if not errors:
                break
            before, shards = shards, (yield from locate(fresh=True))
            if is_last_try or shards == before:
                raise no_index_error(self._calls.stored, errors[0])
        return _Answers(shards, {tag: outcome.result() for tag, outcome in zip(tags, outcomes, strict=True)})

    def _tags(self, query: Query[R], shards: Shards) -> Steps[Sequence[str]]:
        """Return the tags of the shards that have to be asked. Raises SearchUnavailable."""
        if self._scope in (None, SearchScope.NOTHING):
            (outcome,) = yield from ask_many([search_scope(self._calls.alias(shards.tags[0]))])
            self._scope = outcome.result()
            if self._scope is SearchScope.NOTHING:
                raise no_search_error(self._calls.stored, query.node)
        return shards.tags[:1] if self._scope is SearchScope.CLUSTER else shards.tags

    def _full_text_matches(self, query: Query[R]) -> Steps[FullTextMatches]:
        """Return what the full text comparisons of a query find, if records have to be compared with the query."""
        if query.uncertain is None:
            return {}
        found: dict[object, frozenset[Identity]] = {}
        for comparison, written in query.full_text:
            found[comparison] = frozenset((yield from self._gather(query, written)))
        return cast(FullTextMatches, found)

    def _read(self, query: Query[R], found: Sequence[Identity], full_text: FullTextMatches) -> Steps[list[R]]:
        """Return the records that still exist and, as they are now, still match."""
        found = list(dict.fromkeys(found))
        outcomes = yield from ask_many([self._calls.record(identity) for identity in found])
        records: list[R] = []
        for identity, outcome in zip(found, outcomes, strict=True):
            record = outcome.result()
            if record is not None and matches(query.node, record, identity, full_text) is not False:
                records.append(record)
        return records

    def _certainly_first(
        self, records: Sequence[R], pages: Sequence[IdentityPage], sort_keys: Sequence[SortKey], most: int
    ) -> list[R] | None:
        """Return the records that come before everything that was not fetched; None when everything was."""
        known = {self._calls.stored.identity_of(record): record for record in records}
        certain, is_complete = list(records), True
        for page in pages:
            if len(page.identities) < most:
                continue
            is_complete = False
            last = next((known[identity] for identity in reversed(page.identities) if identity in known), None)
            if last is None:
                return []
            certain = [record for record in certain if self._is_before(record, last, sort_keys)]
        return None if is_complete else certain

    def _is_before(self, record: R, last: R, sort_keys: Sequence[SortKey]) -> bool:
        """Return True when a record certainly comes before everything that a shard did not return after its last."""
        stored = self._calls.stored
        for key in sort_keys:
            field = stored.fields[key.field]
            ends_with = field.value_of(last)
            one, other = sort_value(field.value_of(record)), sort_value(ends_with)
            if one == other:
                if not sorts_exactly(field, ends_with):
                    return False
            elif one is None or other is None:
                return other is None
            else:
                return (one > other) if key.descending else (one < other)  # type: ignore[operator]
        return stored.identity_of(record) <= stored.identity_of(last)

    def _sorted(self, records: Sequence[R], sort_keys: Sequence[SortKey]) -> list[R]:
        """Return the records sorted exactly; those without the field last, and equal ones by their identity."""
        result = sorted(records, key=self._calls.stored.identity_of)
        for key in reversed(sort_keys):
            value_of = self._calls.stored.fields[key.field].value_of
            have = [record for record in result if value_of(record) is not None]
            have.sort(key=value_of, reverse=key.descending)
            result = [*have, *(record for record in result if value_of(record) is None)]
        return result


def parse_sort_keys(calls: SearchCalls[R], names: Sequence[str]) -> tuple[SortKey, ...]:
    """Return the sort keys for names of fields, with a ``-`` before those that descend. Raises InvalidArgument."""
    keys: list[SortKey] = []
    for name in names:
        field = calls.stored.fields.get(str(name).removeprefix("-"))
        if field is None or not field.sortable:
            known = ", ".join(one.name for one in calls.stored.fields.values() if one.sortable)
            raise InvalidArgument(f"sort_by: {name!r} is not one of {known}")
        if all(field.name != key.field for key in keys):
            keys.append(SortKey(field.name, descending=name.startswith("-")))
    return tuple(keys)
