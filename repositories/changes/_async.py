"""Carry out the changes of a book, for asyncio: one by one, many at once, or as a unit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

from ...models.guards import Expect
from ...models.results import Outcome
from ...topology._async.backend import AsyncBackend
from ...topology.call import Call
from ...topology.durability import Durability
from .cost_plan import CostPlan, turns_of
from .engine import ChangeCalls
from .verb import AnyStep, AnyVerb, OlderRecord, Q, Request, Verb

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

        One round trip, and another one for an update that finds a record of an older schema; some more for a bust or a
        correction, whose cost is folded first.
        """
        if self._calls.verb_of(request).folds_cost:
            return (await self._fold(self._calls.checked([request]), durability)).result()
        while True:
            try:
                return await self._backend.run(self._calls.change(request), self._backend.settings.wanted(durability))
            except OlderRecord as found:
                request = found.instead[0]

    async def call(self, verb: Verb[Q, C], request: Q, durability: Durability | str | None = None) -> C:
        """Carry out a request of one verb, in one round trip unless its cost is folded first. Raises the refusal."""
        if verb.folds_cost:
            return cast("C", (await self._fold(self._calls.checked([cast("R", request)], verb), durability)).result())
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
        if any(step.verb.folds_cost for step in steps):
            return await self._in_turns(steps, wanted)
        return await self._at_once(steps, wanted)

    async def commit(
        self,
        requests: Sequence[R | Expect],
        expected_sequence: int | None = None,
        durability: Durability | str | None = None,
    ) -> list[A]:
        """Carry out requests of one trader all or nothing. Raises the first refusal.

        One round trip, and another one when it updates records of an older schema; some more for one that revises
        executions, whose costs are folded first.
        """
        wanted = self._backend.settings.wanted(durability)
        while True:
            steps = self._calls.unit_steps(requests)
            try:
                if any(step.verb.folds_cost for step in steps):
                    plan = CostPlan(steps)
                    await self._carry_out([plan], lambda one: self._calls.unit_of(one, expected_sequence), wanted)
                    return cast("list[A]", plan.outcome.result())
                return await self._backend.run(self._calls.unit_of(steps, expected_sequence), wanted)
            except OlderRecord as found:
                requests = [found.instead.get(number, request) for number, request in enumerate(requests)]

    async def _at_once(self, steps: list[AnyStep], wanted: Durability) -> list[Outcome[A]]:
        """Carry out steps none of whose costs is folded first."""
        outcomes: list[Outcome[A]] = []
        for begin in range(0, len(steps), REQUESTS_AT_ONCE):
            grouped = self._calls.grouped(steps[begin : begin + REQUESTS_AT_ONCE])
            outcomes += grouped.outcomes(await self._backend.run_many(grouped.calls, wanted))
        return outcomes

    async def _in_turns(self, steps: list[AnyStep], wanted: Durability) -> list[Outcome[A]]:
        """Carry out steps some of which revise executions: of each trader one such at a time, after all before it."""
        outcomes: list[Outcome[A]] = [Outcome()] * len(steps)
        for turn in turns_of(steps):
            page = [steps[number] for number in turn]
            if page[0].verb.folds_cost:
                plans = [CostPlan([step]) for step in page]
                await self._carry_out(plans, lambda one: self._calls.one(one[0]), wanted)
                found = [cast("Outcome[A]", plan.outcome) for plan in plans]
            else:
                found = await self._at_once(page, wanted)
            for number, outcome in zip(turn, found, strict=True):
                outcomes[number] = outcome
        return outcomes

    async def _fold(self, steps: list[AnyStep], durability: Durability | str | None) -> Outcome[A]:
        """Carry out one step, after its cost was folded."""
        plan = CostPlan(steps)
        wanted = self._backend.settings.wanted(durability)
        await self._carry_out([plan], lambda one: self._calls.one(one[0]), wanted)
        return cast("Outcome[A]", plan.outcome)

    async def _carry_out(
        self, plans: Sequence[CostPlan], call_of: Callable[[list[AnyStep]], Call[object]], wanted: Durability
    ) -> None:
        """Read what plans of several traders need, send their steps, and begin anew with those whose position moved."""
        ends_at = time.monotonic() + self._backend.settings.deadline
        waiting = list(plans)
        while waiting:
            if time.monotonic() > ends_at:
                for plan in waiting:
                    plan.give_up()
            reads = [(plan, call) for plan in waiting for call in plan.reads()]
            if reads:
                answers = await self._backend.run_many([call for _, call in reads])
                for plan in waiting:
                    plan.learn([answer for (one, _), answer in zip(reads, answers, strict=True) if one is plan])
            else:
                calls = [call_of(plan.steps) for plan in waiting]
                for plan, outcome in zip(waiting, await self._backend.run_many(calls, wanted), strict=True):
                    plan.take(outcome)
            waiting = [plan for plan in waiting if not plan.is_done]
