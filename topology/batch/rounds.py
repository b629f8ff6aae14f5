"""Plan the rounds of a batch: which calls go where next, what each answer means, and when there is nothing left to do.

Of writes that are about the same key, the next is sent only when the one before has its outcome, so a retry can never
overtake what came after it. What follows it in its slot waits too, so that a book's events come in the order given.
All others of a round go to their node together, in pieces that are built while the node works on those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Generic, TypeVar, cast

from redis.exceptions import RedisError

from ...models.errors import SlotbookError, Unavailable
from ...models.results import Outcome, is_stored, with_replicas
from ..address import Address
from ..call import Reply
from ..durability import LOCAL, PROOF_REPLIES, Durability
from ..error_mapping import Failure, RetryAction, Unanswered, Unsent, report, retry_action
from ..layouts import Layout, redirect_target
from .item import Buildable, Item
from .node_request import NodeRequest, node_request
from .proof import Proof, read_proof

T = TypeVar("T")

_SHORT_REPLICATION_WAIT = 0.01
_MAX_REDIRECTS = 16
"""Redirects that are followed at once; then a cluster that contradicts itself is given time to agree."""


class Pace(IntEnum):
    """The way in which the next round is to be started; the slowest that any answer asks for counts."""

    CONTINUE = 0
    """At once: what is left has only waited for calls before it."""
    RESEND = 1
    """At once: the reply says what to do, such as to follow a redirect."""
    BACK_OFF = 2
    """After a pause: a server has to recover first."""


class Batch(Generic[T]):
    """Calls until each has its outcome.

    A backend repeats this as long as calls are pending::

        for request in batch.plan():
            for answer in exchange(request):
                batch.on_reply(request, answer)
        batch.clear()
    """

    def __init__(
        self,
        calls: Sequence[Buildable[T]],
        layout: Layout,
        ends_at: float,
        durability: Durability = LOCAL,
        replication_wait: float = 0.0,
    ) -> None:
        self.ends_at = ends_at
        """The end of the deadline of the calls that are being sent, by the monotonic clock."""
        self._layout = layout
        self._durability = durability
        self.replication_wait = replication_wait if durability.wanted else 0.0
        """Seconds that an answer may take beyond the socket timeout, because the server waits for replicas."""
        self.items: list[Item[T]] = [Item(call) for call in calls]
        self.pending: list[Item[T]] = list(self.items)
        self.pace = Pace.CONTINUE
        self.stale = False
        """True when the layout is out of date and must be discovered before the next round."""
        self._failed = False

    @property
    def proves(self) -> bool:
        """True when its changes' durability is to be proven, for which a server waits for replicas or its disk."""
        return bool(self._durability.wanted)

    def outcomes(self) -> list[Outcome[T]]:
        """Return the outcome of each call, in the order given; none may be pending any more."""
        return [cast("Outcome[T]", item.outcome) for item in self.items]

    def plan(self) -> list[NodeRequest[T]]:
        """Return what goes to each node in this round.

        A call whose slot has no known primary is left for a later round, and the layout counts as stale.
        """
        self.pace = Pace.CONTINUE
        planned_subjects: set[str] = set()
        held_back_slots: set[int] = set()
        routes: dict[Address, list[Item[T]]] = {}
        for item in self.pending:
            if self._failed and item.unproven is None:
                # Other calls may have been answered meanwhile, by a server that has since been replaced.
                item.rebuild()
            buildable = item.buildable
            if not buildable.readonly:
                if buildable.slot in held_back_slots or not planned_subjects.isdisjoint(buildable.subjects):
                    held_back_slots.add(buildable.slot)
                    continue
                planned_subjects.update(buildable.subjects)
            address = item.asking_at or self._layout.locate(buildable.slot)
            if address is None:
                self.stale = True
                self.pace = Pace.BACK_OFF
                continue
            routes.setdefault(address, []).append(item)
        return [node_request(address, items, self._proof_of(items)) for address, items in routes.items()]

    def on_reply(self, request: NodeRequest[T], answer: Reply | Failure) -> None:
        """Take the next answer to a request."""
        if request.awaited:
            item = request.awaited.popleft()
            if item is not None:
                self.resolve(item, answer, request.address)
            return
        request.proof.append(answer)
        if len(request.proof) == PROOF_REPLIES:
            self._on_proof(request)

    def doubt(self, request: NodeRequest[T], failure: Unsent | Unanswered) -> None:
        """Take back the answers to a request: one reply was too many, and each may be that to another call."""
        for item in request.items:
            item.unproven = None
            self.resolve(item, failure, request.address)

    def resolve(self, item: Item[T], answer: Reply | Failure, address: Address) -> None:
        """Take the answer to one call from the server at an address."""
        item.asking_at, item.with_source, item.outcome = None, False, None
        if not isinstance(answer, (Unsent, Unanswered, RedisError)):
            item.decode(answer)
            return
        item.failure = answer
        if isinstance(answer, Unanswered) and not item.call.readonly:
            item.may_be_applied = True
            if not item.call.repeatable:
                item.outcome = Outcome(error=item.outcome_unknown("it carries no identity, so it is not sent again"))
                return
        try:
            self._on_failure(item, answer, address)
        except SlotbookError as error:
            item.outcome = Outcome(error=error)

    def clear(self) -> None:
        """Drop the calls that have their outcome from those that are pending."""
        self.pending = [item for item in self.pending if item.outcome is None]

    def give_up(self, deadline: float, reason: Exception | None) -> None:
        """End all pending calls with Unavailable or OutcomeUnknown: the deadline has passed.

        Args:
            deadline: The deadline that has passed, in seconds.
            reason: The error that kept calls from being sent at all, if there was one.
        """
        for item in self.pending:
            because = f"no answer within the deadline of {deadline:g} s (last: {item.last_failure(reason)})"
            if item.may_be_applied:
                item.outcome = Outcome(error=item.outcome_unknown(because))
            else:
                certainty = "" if item.call.readonly else "not applied: "
                item.outcome = Outcome(error=Unavailable(f"{item.call.name}: {certainty}{because}"))
        self.pending = []

    def fail(self, error: SlotbookError) -> None:
        """End all pending calls with one error, against which waiting would not help."""
        for item in self.pending:
            item.fail(error)
        self.pending = []

    def _proof_of(self, items: Sequence[Item[T]]) -> bytes | None:
        """Return the commands that prove the changes of one request, if they are to be proven."""
        if not self.proves:
            return None
        last = items[-1].call
        return self._durability.proof(last.touched_in or last.keys[0], last.touched, self.replication_wait)

    def _on_proof(self, request: NodeRequest[T]) -> None:
        """Take the proof of a request, which covers every write of it."""
        proof = read_proof(request.proof, request.address)
        succeeded = [item for item in request.items if item.outcome and not item.outcome.error]
        stored = [item for item in succeeded if is_stored(item.value)]
        if proof.doubt is not None:
            self._prove_again(stored, proof.doubt)
            return
        for item in stored:
            item.outcome = self._proven(item, proof)

    def _prove_again(self, items: Sequence[Item[T]], doubt: Failure) -> None:
        """Send applied calls again: the server answers them as repeats, and their durability is proven then."""
        for item in items:
            item.unproven, item.outcome, item.may_be_applied = item.value, None, True
            item.failure = doubt
        if items:
            self.stale = True
            self.pace = Pace.BACK_OFF

    def _proven(self, item: Item[T], proof: Proof) -> Outcome[T]:
        """Return the outcome of an applied call: its result, or UnderReplicated."""
        value = with_replicas(item.value, proof.replicas)
        if proof.replicas >= self._durability.wanted:
            return Outcome(value=value)
        # Replicas that did not answer for this write will hardly answer for the next one of the same batch.
        self.replication_wait = min(self.replication_wait, _SHORT_REPLICATION_WAIT)
        return Outcome(error=proof.under_replicated(item.call.name, value, self._durability))

    def _on_failure(self, item: Item[T], failure: Failure, address: Address) -> None:
        """Decide how a call goes on after an answer that is not a value. Raises InvalidSettings."""
        action = retry_action(failure)
        pace = Pace.BACK_OFF
        self._failed = self._failed or action is not RetryAction.LOAD
        if action in (RetryAction.MOVED, RetryAction.ASK) and isinstance(failure, RedisError):
            target = redirect_target(failure, address)
            if target is None:
                item.fail(report(item.call.name, failure))
            elif action is RetryAction.MOVED:
                self._layout.moved(*target)
                self.stale = True
                pace = self._pace_of_redirect(item)
            elif item.call.follows_ask:
                item.asking_at = target[1]
                pace = self._pace_of_redirect(item)
        elif action is RetryAction.LOAD:
            item.with_source = True
            pace = self._pace_of_redirect(item)
        elif action is RetryAction.REDISCOVER:
            self.stale = True
        elif action is RetryAction.REPORT or (action is RetryAction.WAIT_FOR_MIGRATION and not self._layout.migrates):
            item.fail(report(item.call.name, failure))
        self.pace = max(self.pace, pace)

    def _pace_of_redirect(self, item: Item[T]) -> Pace:
        """Count a redirect of a call and return how soon it is followed."""
        item.redirects += 1
        return Pace.RESEND if item.redirects <= _MAX_REDIRECTS else Pace.BACK_OFF
