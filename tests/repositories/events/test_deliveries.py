"""A consumer of a group asks for its own events, then for new ones, and for those that it claims: step by step."""

from __future__ import annotations

import pytest
from slotbook.models import Outcome
from slotbook.models.errors import OutcomeUnknown, SlotbookError, Unavailable
from slotbook.repositories.events.calls import StreamEntry
from slotbook.repositories.events.channels import ChannelState
from slotbook.repositories.events.deliveries import Deliveries, GroupOptions, WaitingEvent
from slotbook.repositories.events.group_calls import GroupCalls, GroupClaim, GroupRead, GroupStart
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
