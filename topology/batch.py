"""Calls on their way: which goes where next, what each answer means, and when there is nothing left to do.

A :class:`Batch` does no I/O and has no colour: a backend asks it for a plan, carries the bytes, and hands it the
answers. One call is a batch of one.

Of writes that begin with the same key, the next is sent only when the one before is settled, so a retry can never
overtake what came after it. What follows it in its slot waits too, so that a book's events come in the order given.
All others of a round go to their node together, in pieces that are made while it works on those before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain
from typing import Generic, TypeVar, cast

from redis.exceptions import RedisError

from ..models.errors import OutcomeUnknown, SlotbookError, Unavailable, UnderReplicated
from ..models.results import Outcome, is_stored, with_replicas
from .address import Address
from .call import Call, PendingCall, Reply, pack
from .durability import LOCAL, PROOF_REPLIES, Durability
from .error_mapping import Failure, NotPrimary, RetryAction, Unanswered, Unsent, report, retry_action
from .layouts import Layout, moved_to

T = TypeVar("T")

_ASKING = pack(("ASKING",))
_AT_A_TIME = 64
"""Calls that go out together."""
_IMPATIENT = 0.01
_MOST_REDIRECTS = 16
"""Redirects followed at once before a cluster that contradicts itself is given time to agree."""


class Pace(IntEnum):
    """How the next round is to be started."""

    ON = 0
    """At once: what is left only waited its turn."""
    AT_ONCE = 1
    """At once: a server said what to do."""
    PAUSE = 2
    """After a pause: someone has to recover first."""


@dataclass(slots=True)
class Item(Generic[T]):
    """One call and what is known of it."""

    pending_call: Call[T] | PendingCall[T]
    _call: Call[T] | None = None
    outcome: Outcome[T] | None = None
    failure: Failure | None = None
    asked: Address | None = None
    with_source: bool = False
    doubtful: bool = False
    """Some attempt may have been applied."""
    redirects: int = 0
    unproven: T | None = None
    """The result of an attempt that was applied, but whose durability could not be proven."""

    @property
    def call(self) -> Call[T]:
        """The call, made when it is first needed."""
        if self._call is None:
            self._call = self.pending_call.build()
        return self._call

    def rebuild(self) -> None:
        """Forget what may be out of date."""
        self.pending_call, self._call = self.pending_call.rebuild(), None


@dataclass(slots=True)
class NodeRequest(Generic[T]):
    """What goes to one node in this round, and how many replies it brings."""

    address: Address
    items: list[Item[T]]
    payload: Iterator[bytes]
    """Piece by piece: each is made when the one before has gone out, and the server works on it meanwhile."""
    replies: int
    awaited: deque[Item[T] | None]
    """Whose answer comes next; None for the one to ASKING, which says nothing of its own."""
    proof: list[Reply | Failure] = field(default_factory=list["Reply | Failure"])
    """The answers that come after those of the items, if their durability is to be proven."""


class Batch(Generic[T]):
    """Calls until each has its outcome."""

    def __init__(
        self,
        calls: Sequence[Call[T] | PendingCall[T]],
        layout: Layout,
        ends_at: float,
        durability: Durability = LOCAL,
        replication_wait: float = 0.0,
    ) -> None:
        self.ends_at = ends_at
        """When the deadline of what is on its way has passed, by the monotonic clock."""
        self._layout = layout
        self._durability = durability
        self.replication_wait = replication_wait if durability.wanted else 0.0
        """How much longer an answer may take."""
        self.items: list[Item[T]] = [Item(call) for call in calls]
        self.pending: list[Item[T]] = list(self.items)
        self.pace = Pace.ON
        self.stale = False
        """Whether the layout is out of date."""
        self._failed = False

    @property
    def proves(self) -> bool:
        """Whether the durability of its changes is proven, which takes the server a while."""
        return bool(self._durability.wanted)

    def outcomes(self) -> list[Outcome[T]]:
        """What became of each call, in the order given; every one must be settled."""
        return [cast("Outcome[T]", item.outcome) for item in self.items]

    def plan(self) -> list[NodeRequest[T]]:
        """Who gets what in this round. Without a map, nothing: the layout is stale."""
        self.pace = Pace.ON
        taken: set[str] = set()
        held_back: set[int] = set()
        routes: dict[Address, list[Item[T]]] = {}
        for item in self.pending:
            if self._failed and item.unproven is None:
                # Other calls may have been answered meanwhile, by a server that has since been replaced.
                item.rebuild()
            pending_call = item.pending_call
            if not pending_call.readonly:
                if pending_call.subject in taken or pending_call.slot in held_back:
                    held_back.add(pending_call.slot)
                    continue
                taken.add(pending_call.subject)
            address = item.asked or self._layout.locate(pending_call.slot)
            if address is None:
                self.stale = True
                self.pace = Pace.PAUSE
                continue
            routes.setdefault(address, []).append(item)
        return [self._node_request(address, items) for address, items in routes.items()]

    def _node_request(self, address: Address, items: list[Item[T]]) -> NodeRequest[T]:
        awaited: deque[Item[T] | None] = deque()
        for item in items:
            if item.asked is not None:
                awaited.append(None)
            awaited.append(item)
        if not self.proves:
            return NodeRequest(address, items, _pieces(items), len(awaited), awaited)
        proof = self._durability.proof(items[-1].pending_call.subject, self.replication_wait)
        return NodeRequest(address, items, chain(_pieces(items), (proof,)), len(awaited) + PROOF_REPLIES, awaited)

    def on_reply(self, node_request: NodeRequest[T], answer: Reply | Failure) -> None:
        """Take the next answer to a node_request."""
        if node_request.awaited:
            item = node_request.awaited.popleft()
            if item is not None:
                self.resolve(item, answer, node_request.address)
            return
        node_request.proof.append(answer)
        if len(node_request.proof) == PROOF_REPLIES:
            self._prove(node_request)

    def resolve(self, item: Item[T], answer: Reply | Failure, address: Address) -> None:
        """Take one answer."""
        item.asked, item.with_source = None, False
        if not isinstance(answer, (Unsent, Unanswered, RedisError)):
            item.outcome = _decoded(item.call, answer)
            return
        item.failure = answer
        if isinstance(answer, Unanswered) and not item.call.readonly:
            item.doubtful = True
            if not item.call.repeatable:
                item.outcome = Outcome(error=_unknown(item, "it carries no identity, so it is not sent again"))
                return
        try:
            self._treat(item, answer, address)
        except SlotbookError as error:
            item.outcome = Outcome(error=error)

    def clear(self) -> None:
        """Drop what is settled from what is pending."""
        self.pending = [item for item in self.pending if item.outcome is None]

    def give_up(self, within: float, reason: Exception | None) -> None:
        """Settle whatever is left: the deadline has passed."""
        for item in self.pending:
            because = f"no answer within the deadline of {within:g} s (last: {_last_words(item, reason)})"
            if item.doubtful:
                item.outcome = Outcome(error=_unknown(item, because))
            else:
                certainty = "" if item.call.readonly else "not applied: "
                item.outcome = Outcome(error=Unavailable(f"{item.call.name}: {certainty}{because}"))
        self.pending = []

    def fail(self, error: SlotbookError) -> None:
        """Settle whatever is left with one error that no waiting would action."""
        for item in self.pending:
            item.outcome = Outcome(error=_unknown(item, str(error)) if item.doubtful else error)
        self.pending = []

    def _prove(self, node_request: NodeRequest[T]) -> None:
        """Take the proof, which speaks for every write of its node_request."""
        answers = touched, confirmed, lineage = node_request.proof
        standing = [item for item in node_request.items if item.outcome and not item.outcome.error]
        standing = [item for item in standing if is_stored(_value(item))]
        if (doubt := _doubt(answers)) is not None:
            # Whoever takes over may not have it: ask again, and the repeat will be proven.
            self._ask_again(standing, doubt)
            return
        if isinstance(touched, list) and touched[1] != lineage:
            self._ask_again(standing, Unanswered(NotPrimary(f"{node_request.address} was replaced for a while")))
            return
        refused = next((answer for answer in (touched, confirmed) if isinstance(answer, RedisError)), None)
        if isinstance(touched, list) and touched[0] == 0 and refused is None:
            # The last record was refused, or is gone: a repeat before it was not written again, so nothing is proven.
            self._ask_again([item for item in standing if item is not node_request.items[-1]], None)
        for item in standing:
            if item.outcome is not None:
                item.outcome = self._counted(item, 0 if refused else _confirmed(confirmed), refused)

    def _ask_again(self, items: Sequence[Item[T]], doubt: Failure | None) -> None:
        for item in items:
            item.unproven, item.outcome, item.doubtful = _value(item), None, True
            item.failure = doubt or item.failure
        if items:
            self.stale = self.stale or doubt is not None
            self.pace = max(self.pace, Pace.PAUSE if doubt else Pace.AT_ONCE)

    def _counted(self, item: Item[T], replicas: int, refused: RedisError | None) -> Outcome[T]:
        wanted, value = self._durability.wanted, with_replicas(_value(item), replicas)
        if replicas >= wanted:
            return Outcome(value=value)
        # Replicas that did not answer for this write will hardly answer for the next one of the same batch.
        self.replication_wait = min(self.replication_wait, _IMPATIENT)
        why = f": the server answered {str(refused)!r}" if refused else ""
        if "unknown command" in why:
            why = ": WAITAOF needs Redis 7.2 or Valkey"
        message = f"{item.call.name}: applied, but {replicas} of {wanted} confirmed it ({self._durability}){why}"
        return Outcome(error=UnderReplicated(message, value, replicas, wanted))

    def _treat(self, item: Item[T], failure: Failure, address: Address) -> None:
        action = retry_action(failure)
        pace = Pace.PAUSE
        self._failed = self._failed or action is not RetryAction.LOAD
        if action is RetryAction.MOVED and isinstance(failure, RedisError):
            self._layout.moved(*moved_to(failure, address))
            self.stale = True
            pace = self._redirect(item)
        elif action is RetryAction.ASK and isinstance(failure, RedisError):
            if item.call.follows_ask:
                item.asked = moved_to(failure, address)[1]
                pace = self._redirect(item)
        elif action is RetryAction.LOAD:
            item.with_source = True
            pace = self._redirect(item)
        elif action is RetryAction.REDISCOVER:
            self.stale = True
        elif action is RetryAction.REPORT or (action is RetryAction.WAIT_FOR_MIGRATION and not self._layout.migrates):
            error = report(item.call.name, failure)
            item.outcome = Outcome(error=_unknown(item, str(error)) if item.doubtful else error)
        self.pace = max(self.pace, pace)

    def _redirect(self, item: Item[T]) -> Pace:
        item.redirects += 1
        return Pace.AT_ONCE if item.redirects <= _MOST_REDIRECTS else Pace.PAUSE


def _pieces(items: Sequence[Item[T]]) -> Iterator[bytes]:
    if len(items) == 1 and items[0].asked is None:
        call = items[0].call
        yield call.packed_with_source if items[0].with_source else call.packed
        return
    sent_with_source: set[str] = set()
    for begin in range(0, len(items), _AT_A_TIME):
        pieces: list[bytes] = []
        for item in items[begin : begin + _AT_A_TIME]:
            if item.asked is not None:
                pieces.append(_ASKING)
            call = item.call
            script = call.script
            # The first call of each script in a batch brings the source along: a server that has lost its scripts must
            # not refuse one call of a batch and run the next.
            if script is not None and script.digest not in sent_with_source:
                sent_with_source.add(script.digest)
                pieces.append(call.packed_with_source)
            else:
                pieces.append(call.packed)
        yield b"".join(pieces)


def _decoded(call: Call[T], reply: Reply) -> Outcome[T]:
    try:
        return Outcome(value=call.decode(reply))
    except SlotbookError as error:
        return Outcome(error=error)


def _value(item: Item[T]) -> T:
    """What an applied item answered, the first time that it was."""
    value = item.outcome.value if item.outcome and item.unproven is None else item.unproven
    return cast("T", value)


def _doubt(answers: Sequence[Reply | Failure]) -> Failure | None:
    """The answer that leaves a proof open: none came, or the server is not in charge any more."""
    for answer in answers:
        if isinstance(answer, (Unsent, Unanswered)):
            return answer
        if isinstance(answer, RedisError) and retry_action(answer) is not RetryAction.REPORT:
            return answer
    return None


def _confirmed(answer: Reply | Failure) -> int:
    """How many confirmed a write: the answer to WAIT, or the first of WAITAOF's two numbers."""
    number = answer[0] if isinstance(answer, list) and answer else answer
    return number if isinstance(number, int) else 0


def _unknown(item: Item[T], because: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{item.call.name}: the reply was lost, so it may have been applied, and {because}; "
        "send it again with the same identity to find out"
    )


def _last_words(item: Item[T], reason: Exception | None) -> str:
    failure = item.failure
    if isinstance(failure, (Unsent, Unanswered)):
        return str(failure.cause).rstrip(".")
    if failure is not None:
        return str(report(item.call.name, failure)).partition("the server answered ")[2] or str(failure)
    return str(reason) if reason else "it waited its turn"
