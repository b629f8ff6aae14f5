"""Notices are log lines with fields, and many about the same become few; none is left out for an observer."""

from __future__ import annotations

import asyncio
import logging

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from slotbook.models.errors import BookClosed, StateLost
from slotbook.topology.address import Address
from slotbook.topology.connections.outage import Outage
from slotbook.topology.embedded import start
from slotbook.topology.error_mapping import Unanswered, Unsent
from slotbook.topology.listening.interruption import Interruption
from slotbook.topology.observing import NoticeKind, Notices, notices
from slotbook.topology.observing.retries import reason_of

from ...support.callers import CALLERS, Caller, open_book
from ...support.faults.control import Control
from ...support.make import fresh, limit
from ...support.observed import Kept, Raising

HERE, THERE = Address("10.0.0.1", 6379), Address("10.0.0.2", 6379)


class Clock:
    """A clock that a test turns."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(notices, "monotonic", made)
    return made


def retry(told: Notices, verb: str = "place") -> None:
    told.tell(NoticeKind.RETRY, verb=verb, calls=1, seconds=0.02, tries=2, reason="ConnectionError")


def test_a_line_has_its_values_in_extra_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "slotbook"):
        Notices().tell(NoticeKind.PRIMARY_CHANGED, before=str(HERE), after=str(THERE))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("slotbook.topology", "WARNING")
    assert record.getMessage() == "primary changed from 10.0.0.1:6379 to 10.0.0.2:6379"
    assert (vars(record)["slotbook_event"], vars(record)["slotbook_after"]) == ("primary_changed", "10.0.0.2:6379")


def test_a_loop_of_failures_is_logged_less_and_less_and_says_how_much_was_left_out(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    kept = Kept()
    told = Notices(kept)
    with caplog.at_level(logging.INFO, "slotbook"):
        for _ in range(1_000):  # a thousand in 100 seconds
            retry(told)
            clock.now += 0.1
    assert len(kept.notices) == 1_000
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 7, "after 0, 1, 3, 7, 15, 31 and 63 seconds"
    assert lines[0] == "place is tried again after 0.020 s (try 2, 1 calls): ConnectionError"
    assert lines[1] == f"{lines[0]}; 9 more like this since the last line"
    left_out = sum(vars(record)["slotbook_left_out"] for record in caplog.records)
    assert len(lines) + left_out > 600


def test_after_a_minute_of_quiet_every_line_comes_again(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    told = Notices()
    with caplog.at_level(logging.INFO, "slotbook"):
        for pause in (0.5, 2, 130, 0.9):
            retry(told)
            clock.now += pause
        retry(told)
    assert [vars(record)["slotbook_left_out"] for record in caplog.records] == [0, 1, 0]


def test_what_is_about_another_is_not_left_out(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    told = Notices()
    with caplog.at_level(logging.INFO, "slotbook"):
        for verb in ("place", "fill", "place"):
            retry(told, verb)
    assert [vars(record)["slotbook_verb"] for record in caplog.records] == ["place", "fill"]
    assert clock.now == 1_000.0


def test_an_observer_that_raises_is_logged_once_and_the_line_comes(caplog: pytest.LogCaptureFixture) -> None:
    told = Notices(Raising())
    with caplog.at_level(logging.INFO, "slotbook"):
        retry(told)
        retry(told, "fill")
    assert [record.name for record in caplog.records] == ["slotbook.observer", "slotbook.calls", "slotbook.calls"]


def test_nothing_is_printed_where_no_log_is_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    for logger in ("topology", "connections", "calls", "loss", "listening"):
        assert any(isinstance(one, logging.NullHandler) for one in logging.getLogger(f"slotbook.{logger}").handlers)
    assert capfd.readouterr().err == ""


def test_an_outage_is_told_at_its_first_failure_and_at_its_end() -> None:
    kept = Kept()
    outage = Outage(HERE, Notices(kept))
    outage.on_opened()
    assert kept.notices == []
    for _ in range(3):
        outage.on_failure(RedisConnectionError("Connection closed by server."))
    outage.on_opened()
    outage.on_opened()
    lost, back = kept.notices
    assert str(lost) == "no connection to 10.0.0.1:6379: ConnectionError: Connection closed by server"
    assert (back.kind, back.fields["node"], back.fields["failures"]) == (NoticeKind.RECONNECTED, "10.0.0.1:6379", 3)


def test_a_book_that_is_closed_is_no_outage() -> None:
    kept = Kept()
    Outage(HERE, Notices(kept)).on_failure(BookClosed("the book was closed"))
    assert kept.notices == []


def test_messages_come_again_from_the_server_or_from_who_takes_its_place() -> None:
    kept = Kept()
    interruption = Interruption(Notices(kept), "subscribing")
    interruption.end(HERE, [HERE])
    assert kept.notices == []
    interruption.begin(HERE)
    interruption.end(THERE, [HERE, THERE])
    assert kept.notices == [], "the other one is still a primary, and is waited for"
    interruption.end(THERE, [THERE])
    (resumed,) = kept.notices
    assert (resumed.kind, resumed.fields["node"]) == (NoticeKind.RESUMED, str(THERE))


def test_a_loss_is_told_and_no_other_error() -> None:
    kept = Kept()
    told = Notices(kept)
    told.on_raised(BookClosed("closed"))
    told.on_raised(StateLost("T001", 7, 9, None))
    assert [str(notice) for notice in kept.notices] == [
        "the servers have lost changes 7 to 9 of trader T001, which they had acknowledged; apply the journal again"
    ]


def test_a_reason_is_a_code_or_a_kind_and_has_nothing_of_a_reply_in_it() -> None:
    secret = "S3CRET"  # noqa: S105
    for failure, reason in (
        (ResponseError(f"LOADING {secret}"), "LOADING"),
        (Unsent(RedisConnectionError(secret)), "ConnectionError"),
        (Unanswered(RedisConnectionError(secret)), "ConnectionError"),
        (Unsent(ResponseError(f"WRONGPASS {secret}")), "WRONGPASS"),
    ):
        assert reason_of(failure) == reason


@pytest.mark.parametrize("caller", CALLERS)
def test_changes_that_a_server_has_lost_are_told(caller: Caller, runner: asyncio.Runner) -> None:
    kept, trader = Kept(), fresh()
    with start("standalone") as deployment:
        book = open_book(deployment.url, caller, runner, kept)
        book.orders.place(limit(trader, "A1"))
        assert kept.of(NoticeKind.STATE_LOST) == []
        deployment.primaries()[0].ask("FLUSHALL")
        with pytest.raises(StateLost):
            book.orders.place(limit(trader, "A2"))
        book.close()
    (lost,) = kept.of(NoticeKind.STATE_LOST)
    assert (lost.fields["trader"], lost.fields["first"]) == (trader, 1)
    assert kept.calls[-1].outcome == "applied", "the call that has told of the loss was applied all the same"


@pytest.mark.parametrize("caller", CALLERS)
def test_a_server_that_is_gone_and_comes_back(
    caller: Caller, runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    kept, trader = Kept(), fresh()
    with start("standalone") as deployment, Control(deployment) as control:
        book = open_book(control.url(deadline=1.5), caller, runner, kept)
        book.orders.place(limit(trader, "A1"))
        with caplog.at_level(logging.INFO, "slotbook"):
            control.kill(control.data[0])
            for _ in range(2):
                with pytest.raises(Exception, match="no answer within the deadline"):
                    book.orders.place(limit(trader, "A1"))
            control.restart(control.data[0])
            book.orders.get(trader, "A1")
        book.close()
    kinds = [notice.kind for notice in kept.notices]
    assert kinds.count(NoticeKind.CONNECTION_LOST) == kinds.count(NoticeKind.RECONNECTED) == 1
    assert kinds.count(NoticeKind.GAVE_UP) == 2
    assert kinds.count(NoticeKind.RETRY) > 4
    gave_up = kept.of(NoticeKind.GAVE_UP)[0].fields
    assert (gave_up["verb"], gave_up["calls"]) == ("place", 1)
    assert isinstance(seconds := gave_up["seconds"], float)
    assert 1.0 < seconds < 3.0
    first = kept.calls[0]
    assert (first.tries, [one.reason for one in first.failures]) == (2, ["NOSCRIPT"]), "a new server has no scripts"
    ended = [call for call in kept.calls if call.outcome in ("unknown", "not_applied")]
    assert len(ended) == 2
    assert ended[0].tries >= 1, "while no primary is known, nothing is sent"
    assert {one.node for one in ended[0].failures} == {str(Address("127.0.0.1", control.data[0].port))}
    lines = [record for record in caplog.records if record.name.startswith("slotbook.")]
    assert len(lines) < len(kept.notices)
    text = "\n".join(record.getMessage() for record in lines) + str([vars(record) for record in lines])
    assert deployment.password not in text
    assert trader not in text, "orders and their owners are in no line about connections and calls"
