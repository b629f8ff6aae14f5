"""Carry out the changes of a book, for asyncio: one by one, many at once, or as a unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from ...models.guards import Expect
from ...models.results import Outcome
from ...topology._async.backend import AsyncBackend
from ...topology.durability import Durability
from .engine import ChangeCalls
from .verb import AnyVerb, OlderRecord, Q, Request, Verb

REQUESTS_AT_ONCE = 5_000
"""The requests that are in flight at the same time: more would only wait in the servers' buffers."""

C = TypeVar("C")
R = TypeVar("R", bound=Request)
A = TypeVar("A")


class AsyncChanges(Generic[R, A]):
    """The changes that the requests of some verbs make, each with the book's durability unless another is given."""

    def __init__(self, backend: AsyncBackend, calls: ChangeCalls[R, A]) -> None:
        self._backend = backend
        self._calls = calls

    async def apply(self, request: R, durability: Durability | str | None = None) -> A:
        """Carry out a request of any verb. Raises the refusal.

        One round trip, and another one for an update that finds a record of an older schema.
        """
        while True:
            try:
                return await self._backend.run(self._calls.change(request), self._backend.settings.wanted(durability))
            except OlderRecord as found:
                request = found.instead[0]

    async def call(self, verb: Verb[Q, C], request: Q, durability: Durability | str | None = None) -> C:
        """Carry out a request of one verb, in one round trip. Raises the refusal."""
        return await self._backend.run(self._calls.call(verb, request), self._backend.settings.wanted(durability))

    async def many(
        self, requests: Sequence[R], verb: AnyVerb | None = None, durability: Durability | str | None = None
    ) -> list[Outcome[A]]:
        """Carry out many requests, and return one outcome for each, in the order given.

        Those of one trader go to the server together, in the order given; see ``engine.STEPS_AT_ONCE``.

        Args:
            requests: The requests.
            verb: The verb that takes them all; None for any mix.
            durability: The copies that the changes wait for; by default the book's.
        """
        wanted = self._backend.settings.wanted(durability)
        steps = self._calls.checked(requests, verb)
        outcomes: list[Outcome[A]] = []
        for begin in range(0, len(steps), REQUESTS_AT_ONCE):
            grouped = self._calls.grouped(steps[begin : begin + REQUESTS_AT_ONCE])
            outcomes += grouped.outcomes(await self._backend.run_many(grouped.calls, wanted))
        return outcomes

    async def commit(
        self,
        requests: Sequence[R | Expect],
        expected_sequence: int | None = None,
        durability: Durability | str | None = None,
    ) -> list[A]:
        """Carry out requests of one trader all or nothing. Raises the first refusal.

        One round trip, and another one when it updates records of an older schema.
        """
        while True:
            try:
                return await self._backend.run(
                    self._calls.unit(requests, expected_sequence), self._backend.settings.wanted(durability)
                )
            except OlderRecord as found:
                requests = [found.instead.get(number, request) for number, request in enumerate(requests)]
