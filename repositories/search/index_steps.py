"""Create, drop and describe indexes on every shard, step by step. Nothing here does I/O.

Each operation may be repeated from the beginning, by several callers, at any time: it first reads which indexes exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from ...models.errors import SearchUnavailable, UnexpectedReply
from ...models.results import Outcome
from ...topology.call import slot_of
from ...topology.steps import Pause, Steps, ask_many, locate
from .advice import NEEDED, is_missing_index
from .calls import SearchScope, search_scope
from .index_calls import IndexCalls, IndexStatus

T = TypeVar("T")

POLL_SECONDS = 0.05
"""Seconds between two checks if an index is complete."""

Progress: TypeAlias = Callable[[float], None]
"""Called with the part of an index that is complete, 0 to 1."""


def create(calls: IndexCalls, progress: Progress) -> Steps[list[IndexStatus]]:
    """Create the index where it is missing, wait until it is complete, switch to it, drop those that it replaces."""
    tags = yield from _tags(calls)
    for outcome in (yield from ask_many([calls.create(tag) for tag in tags])):
        _check(outcome, unless="index already exists")
    while (built := (yield from _built(calls, tags))) < 1:
        progress(built)
        yield Pause(POLL_SECONDS)
    progress(1.0)
    for outcome in (yield from ask_many([calls.switch(tag) for tag in tags])):
        outcome.result()
    kept = {calls.name(tag) for tag in tags}
    yield from _drop(calls, tags, kept)
    return (yield from describe(calls))


def drop(calls: IndexCalls) -> Steps[list[IndexStatus]]:
    """Drop every index of the kind that can be reached; return those that are left."""
    tags = yield from _tags(calls)
    yield from _drop(calls, tags, set())
    return (yield from describe(calls))


def describe(calls: IndexCalls) -> Steps[list[IndexStatus]]:
    """Return every index of the kind, shard by shard."""
    tags = yield from _tags(calls)
    aliases = yield from ask_many([calls.info(calls.alias(tag)) for tag in tags])
    used = {outcome.value.name for outcome in aliases if outcome.value is not None}
    found: list[IndexStatus] = []
    for tag, names in (yield from _names(calls, tags)):
        reachable = yield from _reachable(tag, names)
        outcomes = yield from ask_many([calls.info(name) for name in reachable])
        described = {name: outcome.value for name, outcome in zip(reachable, outcomes, strict=True)}
        found += [calls.status(name, described.get(name), name if name in used else None) for name in names]
    return found


def _drop(calls: IndexCalls, tags: Sequence[str], kept: set[str]) -> Steps[None]:
    for tag, names in (yield from _names(calls, tags)):
        reachable = yield from _reachable(tag, names)
        for outcome in (yield from ask_many([calls.drop(name) for name in reachable if name not in kept])):
            if not is_missing_index(outcome.error):
                outcome.result()


def _built(calls: IndexCalls, tags: Sequence[str]) -> Steps[float]:
    """Return the part of an index that is complete, on average over its shards."""
    outcomes = yield from ask_many([calls.info(calls.name(tag)) for tag in tags])
    parts = [outcome.result().built for outcome in outcomes]
    return sum(parts) / len(parts)


def _names(calls: IndexCalls, tags: Sequence[str]) -> Steps[list[tuple[str, list[str]]]]:
    """Return the indexes of the kind on each shard, by the shard's tag."""
    outcomes = yield from ask_many([calls.names(tag) for tag in tags])
    return [(tag, calls.of_kind(outcome.result())) for tag, outcome in zip(tags, outcomes, strict=True)]


def _reachable(tag: str, names: Sequence[str]) -> Steps[list[str]]:
    """Return those of a shard's indexes whose name is in a slot of that shard."""
    shards = yield from locate()
    return [name for name in names if shards.tag_of(slot_of((name,))) == tag]


def _tags(calls: IndexCalls) -> Steps[Sequence[str]]:
    """Return a tag for each shard, or one for all if servers index for the whole cluster. Raises SearchUnavailable."""
    tags = (yield from locate(fresh=True)).tags
    (outcome,) = yield from ask_many([search_scope(calls.alias(tags[0]))])
    scope = outcome.result()
    if scope is SearchScope.NOTHING:
        raise SearchUnavailable(f"index of {calls.records}: the server has no search: {NEEDED}")
    return tags[:1] if scope is SearchScope.CLUSTER else tags


def _check(outcome: Outcome[bool], *, unless: str) -> None:
    """Raise the outcome's error, unless it contains some words that mean that there is nothing to do."""
    error = outcome.error
    if isinstance(error, UnexpectedReply) and unless in str(error).lower():
        return
    if error is not None and "db != 0" in str(error):
        raise SearchUnavailable("index: servers search in database 0 only; keep the book there (no /n in its URL)")
    outcome.result()
