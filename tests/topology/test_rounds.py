"""A batch plans its rounds by the answers of servers: what is sent again, how soon, and what is known in the end."""

from __future__ import annotations

import time

import pytest
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from slotbook.models.errors import OutcomeUnknown, SlotbookError, Unavailable, UnderReplicated
from slotbook.topology.address import Address
from slotbook.topology.batch import Batch, Pace
from slotbook.topology.call import Call, Reply, pack
from slotbook.topology.durability import Durability
from slotbook.topology.error_mapping import Failure, Unanswered, Unsent
from slotbook.topology.layouts import ClusterLayout

HERE, THERE = Address("127.0.0.1", 7001), Address("127.0.0.1", 7002)
SILENCE = RedisTimeoutError("no reply")


def call(key: str = "k", *, readonly: bool = False, repeatable: bool = True) -> Call[Reply]:
    return Call(key, (key,), 0, pack(("PING",)), lambda reply: reply, readonly=readonly, repeatable=repeatable)


def batch(*calls: Call[Reply]) -> Batch[Reply]:
    """Return a batch of calls of one slot, whose primary is known."""
    layout = ClusterLayout([HERE])
    layout.moved(0, HERE)
    return Batch(calls, layout, time.monotonic() + 5)


def answer(made: Batch[Reply], *answers: Reply | Failure) -> list[str]:
    """Send a round, and return the names of the calls in it; each gets the next answer."""
    names: list[str] = []
    left = iter(answers)
    for request in made.plan():
        names += [item.call.name for item in request.items]
        for _ in request.items:
            made.on_reply(request, next(left))
    made.clear()
    return names


def test_redirects_are_followed_at_once_until_they_go_round_in_circles() -> None:
    made = batch(call())
    paces: list[Pace] = []
    for number in range(18):
        answer(made, ResponseError(f"MOVED 0 127.0.0.1:{7001 + number % 2}"))
        paces.append(made.pace)
    assert paces == [Pace.RESEND] * 16 + [Pace.BACK_OFF] * 2


@pytest.mark.parametrize(
    ("sent", "failure", "error"),
    [
        (call(readonly=True), Unanswered(SILENCE), Unavailable),
        (call(), Unanswered(SILENCE), OutcomeUnknown),
        (call(), Unsent(SILENCE), Unavailable),
        (call(repeatable=False), Unsent(SILENCE), Unavailable),
        (call(repeatable=False), Unanswered(SILENCE), OutcomeUnknown),
    ],
)
def test_what_is_known_of_a_call_that_never_got_its_answer(
    sent: Call[Reply], failure: Failure, error: type[SlotbookError]
) -> None:
    made = batch(sent)
    answer(made, failure)
    assert bool(made.pending) is (sent.repeatable or isinstance(failure, Unsent)), "only those are sent again"
    made.give_up(1.0, None)
    (outcome,) = made.outcomes()
    assert type(outcome.error) is error


def test_what_follows_a_call_that_waits_does_not_overtake_it() -> None:
    """The second call is about the same key, and the third comes after it in the same slot; a read may go first."""
    made = batch(call("a"), call("a"), call("b"), call("c", readonly=True))
    assert answer(made, Unsent(SILENCE), "read") == ["a", "c"]
    assert answer(made, 1) == ["a"]
    assert answer(made, 2, 3) == ["a", "b"]
    assert [outcome.value for outcome in made.outcomes()] == [1, 2, 3, "read"]


def test_replicas_that_have_not_answered_for_one_change_are_hardly_waited_for_with_the_next() -> None:
    layout = ClusterLayout([HERE])
    layout.moved(0, HERE)
    durability = Durability.parse("replicated=1")
    made = Batch([call("a"), call("a")], layout, time.monotonic() + 60, durability, replication_wait=5.0)
    waits: list[float] = []
    for confirmed in (0, 1):
        waits.append(made.replication_wait)
        (request,) = made.plan()
        for reply in (confirmed, "id", confirmed, "id"):
            made.on_reply(request, reply)
        made.clear()
    assert waits == [5.0, 0.01]
    few, enough = made.outcomes()
    assert isinstance(few.error, UnderReplicated)
    assert (enough.error, enough.value) == (None, 1)
