"""Keep the map of a primary that Sentinels watch, and find the primary anew after a failover."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

from redis.exceptions import RedisError

from ...models.errors import InvalidSettings
from ..address import Address
from ..call import Reply, pack
from ..error_mapping import Failure, Unanswered, Unsent
from ..misreadings import unexpected
from ..shards import Shards
from .discovery import Answers, Discovery, DiscoveryError, Questions, not_a_cluster, note_failure, summary_of
from .sentinel_view import SentinelView, sentinel_queries, sentinel_view

SENTINEL_TIMEOUT = 0.25
"""Seconds that a Sentinel has for its answer, when another could answer in its place."""


class SentinelLayout:
    """The primary that a quorum of Sentinels has agreed on (https://redis.io/docs/reference/sentinel-clients/).

    The Sentinel that leads a failover marks the replica that it promotes at once, names it when it has seen that the
    replica serves as a primary, and informs the other Sentinels, which takes seconds. Until then these still name the
    old primary, and that may come back. So all Sentinels are asked, and the answer that comes from the latest failover
    counts.
    """

    must_be_primary = True  # a primary that was replaced while it was frozen still accepts writes for a moment
    migrates = False

    def __init__(self, sentinels: Sequence[Address], service: str) -> None:
        self._sentinels = tuple(sentinels)
        self._service = service
        self._primary: Address | None = None

    def locate(self, slot: int) -> Address | None:
        """Return the primary, whatever the slot; None before the first discovery."""
        return self._primary

    def primaries(self) -> tuple[Address, ...]:
        """Return the one primary, if it is known."""
        return (self._primary,) if self._primary else ()

    def sentinels(self) -> tuple[Address, ...]:
        """Return the Sentinels that the URL names."""
        return self._sentinels

    def shards(self) -> Shards:
        """Return the one shard."""
        return Shards(("0",))

    def moved(self, slot: int, address: Address) -> None:
        """Raise InvalidSettings: only a server of a cluster answers MOVED."""
        raise not_a_cluster("redis+sentinel")

    def discover(self) -> Discovery:
        """Yield questions for all Sentinels, and one for a replica that is being promoted.

        Raises InvalidSettings when no Sentinel watches the service, DiscoveryError when none answers.
        """
        answers: Answers = ()
        views: list[SentinelView] = []
        for timeout in (SENTINEL_TIMEOUT, math.inf):
            answers = yield Questions(
                self._sentinels, sentinel_queries(self._service), commands=3, of_sentinels=True, timeout=timeout
            )
            if views := [view for replies in answers if (view := sentinel_view(*replies)) is not None]:
                break
        if not views:
            self._raise_no_primary([first for first, *_ in answers])
        latest = max(views, key=lambda view: (view.epoch, view.promoted is not None))
        if latest.promoted is not None and latest.promoted != latest.primary:
            ((answer,),) = yield Questions((latest.promoted,), pack(("PING",)), timeout=SENTINEL_TIMEOUT)
            if not isinstance(answer, (Unsent, Unanswered, RedisError)):  # then it says that it is a primary
                self._primary = latest.promoted
                return
        self._primary = latest.primary

    def _raise_no_primary(self, answers: Sequence[Reply | Failure]) -> NoReturn:
        """Raise the error for the first answers of all Sentinels, none of which named a primary."""
        causes: list[Exception] = []
        for sentinel, answer in zip(self._sentinels, answers, strict=True):
            if answer is None:
                causes.append(InvalidSettings(f"the Sentinel at {sentinel} does not know {self._service!r}"))
            elif not isinstance(answer, (Unsent, Unanswered, RedisError)):
                causes.append(unexpected(f"asking the Sentinel at {sentinel} for {self._service!r}", answer))
            elif "unknown command" in str(answer):
                causes.append(InvalidSettings(f"the server at {sentinel} is not a Sentinel"))
            else:
                note_failure(sentinel, answer, causes)
        if all(isinstance(cause, InvalidSettings) for cause in causes):
            raise InvalidSettings(
                summary_of("no primary found", causes) + "; check the URL's hosts, ports and service name"
            )
        raise DiscoveryError(causes, summary_of("no Sentinel could tell the primary", causes))
