"""A consumer of a group asks for its own events, then for new ones, and for those that it claims: step by step."""

from __future__ import annotations

import pytest
from slotbook.models import Outcome
from slotbook.models.errors import (
    AccessDenied,
    HistoryTrimmed,
    OutcomeUnknown,
    SlotbookError,
    StateLost,
    Unavailable,
)
from slotbook.repositories.events.calls import StreamEntry
from slotbook.repositories.events.channels import ChannelState
from slotbook.repositories.events.deliveries import Deliveries, GroupOptions, WaitingEvent
from slotbook.repositories.events.group_calls import GroupCalls, GroupClaim, GroupRead, GroupStart
from slotbook.repositories.events.group_stream import GroupStream
from slotbook.topology.settings import Settings

BATCH = 2


def begun(min_idle: float = 3_600) -> Deliveries:
    """Return what is known of one stream before its first read."""
    options = GroupOptions("risk", "one", min_idle, max_deliveries=3, batch=BATCH)
    state = ChannelState(lambda _: True, lambda: None)
    made = Deliveries(GroupCalls(Settings(), "risk", "one"), state, options, poll=3_600)
    made.add(["T"], 0)
    return made


def asked(deliveries: Deliveries) -> list[str]:
    """Return what the next calls ask for."""
    names = {True: "own", False: "new"}  # only a read of new events must not be sent again
    return ["claim" if "claim" in call.name else names[call.repeatable] for call in deliveries.calls()]


def read(*numbers: int, before: int = 9) -> Outcome[object]:
    """Return the outcome of a read that found these events."""
    return Outcome(GroupRead(GroupStart(before, before, 9, created=False, intact=True), entries(*numbers)))


def entries(*numbers: int) -> list[StreamEntry]:
    return [StreamEntry(number, {"type": "NEW", "ts_ns": "1", "symbol": "AAPL"}, 0) for number in numbers]


def ready(deliveries: Deliveries) -> list[int]:
    return [item.event.sequence for item in deliveries.ready if isinstance(item, WaitingEvent)]


@pytest.fixture
def deliveries() -> Deliveries:
    """Return what is known of a stream of which the consumer has nothing."""
    made = begun()
    assert asked(made) == ["own"]
    made.take_outcomes([read()])
    return made


def test_its_own_events_are_read_to_the_end_before_new_ones() -> None:
    deliveries = begun()
    for page in ((1, 2), (3, 4), ()):
        assert asked(deliveries) == ["own"]
        deliveries.take_outcomes([read(*page)])
    assert ready(deliveries) == [1, 2, 3, 4]
    assert asked(deliveries) == ["new"]


def test_a_full_page_is_not_the_end(deliveries: Deliveries) -> None:
    for before, page in ((0, (1, 2)), (2, (3,))):
        assert asked(deliveries) == ["new"]
        deliveries.take_outcomes([read(*page, before=before)])
    assert asked(deliveries) == []
    assert ready(deliveries) == [1, 2, 3]


@pytest.mark.parametrize(
    ("error", "then"), [(OutcomeUnknown("the reply is lost"), "own"), (Unavailable("nobody answers"), "new")]
)
def test_a_read_that_failed_is_made_good(deliveries: Deliveries, error: SlotbookError, then: str) -> None:
    assert asked(deliveries) == ["new"]
    deliveries.take_outcomes([Outcome(error=error)])
    assert asked(deliveries) == [then]
    assert [type(item) for item in deliveries.ready] == ([Unavailable] if then == "new" else [])


def test_a_read_that_was_interrupted_is_made_good(deliveries: Deliveries) -> None:
    assert asked(deliveries) == ["new"]
    deliveries.on_interrupted()
    assert asked(deliveries) == ["own"]


@pytest.mark.parametrize("error", [None, OutcomeUnknown("the reply is lost")])
def test_what_a_lost_claim_was_given_is_read_as_its_own(error: SlotbookError | None) -> None:
    deliveries = begun(min_idle=0)
    assert asked(deliveries) == ["own"]
    deliveries.take_outcomes([read()])
    assert asked(deliveries) == ["claim", "new"]
    if error is None:
        deliveries.on_interrupted()
    else:
        deliveries.take_outcomes([Outcome(error=error), read()])
    assert asked(deliveries) == ["own"]


def test_a_claim_goes_on_to_the_end() -> None:
    deliveries = begun(min_idle=0.1)
    assert asked(deliveries) == ["own"]
    deliveries.take_outcomes([read()])
    while (now := asked(deliveries)) != ["claim"]:
        deliveries.take_outcomes([read()] * len(now))
    deliveries.take_outcomes([Outcome(GroupClaim("3-0", [], entries(1, 2)))])
    assert asked(deliveries)[0] == "claim"
    assert ready(deliveries) == [1, 2]


@pytest.mark.parametrize(
    ("error", "is_owed", "raised"),
    [
        (None, False, []),
        (OutcomeUnknown("the reply is lost"), True, []),
        (Unavailable("nobody answers"), True, []),
        (AccessDenied("no"), False, [AccessDenied]),
    ],
)
def test_an_acknowledgement_is_owed_until_it_is_known(
    deliveries: Deliveries, error: SlotbookError | None, is_owed: bool, raised: list[type[SlotbookError]]
) -> None:
    deliveries.owed["T", 1] = None
    deliveries.take_acknowledged([("T", 1)], [Outcome(error=error)])
    assert (("T", 1) in deliveries.owed) is is_owed
    assert [type(item) for item in deliveries.ready] == raised


# ------------------------------------------------------------------ one stream


@pytest.fixture
def stream() -> GroupStream:
    """Return a stream of which three events were read."""
    made = GroupStream("T", "{T}:events", 0)
    made.own_after = None
    assert list(made.take_read(found(0, 3, 1, 2, 3))) == []
    return made


def found(before: int, last: int, *numbers: int) -> GroupRead:
    """Return what a read found of a stream that ends with an event, of a group that is at another."""
    return GroupRead(GroupStart(before, min(before, last), last, created=False, intact=True), entries(*numbers))


def test_one_event_that_is_lost_is_said(stream: GroupStream) -> None:
    (loss,) = stream.take_read(found(3, 2))
    assert isinstance(loss, StateLost)
    assert (loss.first, loss.last) == (3, 3)


def test_one_event_that_was_trimmed_is_said(stream: GroupStream) -> None:
    (trimmed,) = stream.take_read(found(3, 6, 5, 6))
    assert isinstance(trimmed, HistoryTrimmed)
    assert (trimmed.first, trimmed.last) == (4, 4)


def test_what_follows_at_once_is_all_there(stream: GroupStream) -> None:
    assert list(stream.take_read(found(3, 5, 4, 5))) == []
