"""Test the table of error replies row by row: the text that a server answers, and the error that a caller gets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ResponseError,
    TimeoutError,
)
from slotbook import Book
from slotbook.models.errors import (
    AccessDenied,
    InvalidSettings,
    OutcomeUnknown,
    OutOfMemory,
    PoolExhausted,
    SlotbookError,
    Unavailable,
    UnexpectedReply,
    WritesDisabled,
    WrongType,
)
from slotbook.topology.call import evaluate
from slotbook.topology.error_mapping import (
    ERROR_ACTIONS,
    Failure,
    RetryAction,
    Unanswered,
    Unsent,
    report,
    retry_action,
)
from slotbook.topology.scripts import Script

from ..support.faults.scripted import Scripted
from ..support.make import execution, fresh, limit

ANSWERS: dict[str, tuple[str, RetryAction, type[SlotbookError] | None]] = {
    "MOVED": ("MOVED 866 127.0.0.1:7001", RetryAction.MOVED, None),
    "ASK": ("ASK 866 127.0.0.1:7001", RetryAction.ASK, None),
    "NOSCRIPT": ("NOSCRIPT No matching script. Please use EVAL.", RetryAction.LOAD, None),
    "TRYAGAIN": ("TRYAGAIN Multiple keys request during rehashing of slot", RetryAction.WAIT_FOR_MIGRATION, None),
    "LOADING": ("LOADING Redis is loading the dataset in memory", RetryAction.REDISCOVER, None),
    "BUSY": ("BUSY Redis is busy running a script.", RetryAction.WAIT, None),
    "CLUSTERDOWN": ("CLUSTERDOWN Hash slot not served", RetryAction.REDISCOVER, None),
    "MASTERDOWN": ("MASTERDOWN Link with MASTER is down", RetryAction.REDISCOVER, None),
    "READONLY": ("READONLY You can't write against a read only replica.", RetryAction.REDISCOVER, None),
    "NOAUTH": ("NOAUTH Authentication required.", RetryAction.REPORT, AccessDenied),
    "WRONGPASS": ("WRONGPASS invalid username-password pair or user is disabled.", RetryAction.REPORT, AccessDenied),
    "NOPERM": ("NOPERM User u has no permissions to run the 'evalsha' command", RetryAction.REPORT, AccessDenied),
    "OOM": ("OOM command not allowed when used memory > 'maxmemory'.", RetryAction.REPORT, OutOfMemory),
    "MISCONF": ("MISCONF Errors writing to the AOF file: No space left", RetryAction.REPORT, WritesDisabled),
    "NOREPLICAS": ("NOREPLICAS Not enough good replicas to write.", RetryAction.REPORT, WritesDisabled),
    "WRONGTYPE": ("WRONGTYPE Operation against a key holding the wrong kind of value", RetryAction.REPORT, WrongType),
    "CROSSSLOT": ("CROSSSLOT Keys in request don't hash to the same slot", RetryAction.REPORT, None),
    "UNFINISHED": ("UNFINISHED ERR The user executing the script can't run it", RetryAction.REPORT, OutcomeUnknown),
    "ERR": ("ERR unknown command 'EVALSHA'", RetryAction.REPORT, UnexpectedReply),
}
"""For the code of each error reply: its text, the action, and the error that is reported."""

PLACED = "*3\r\n$0\r\n\r\n$0\r\n\r\n*2\r\n$7\r\napplied\r\n$1\r\n1\r\n"
"""The engine's reply to an order that it has placed."""

TERMINAL = [
    prefix for prefix, (_, action, kind) in ANSWERS.items() if action is RetryAction.REPORT and kind is not None
]
WAITED_FOR = [
    prefix for prefix, (_, action, _) in ANSWERS.items() if action in (RetryAction.WAIT, RetryAction.REDISCOVER)
]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Yield a server whose answers a test chooses."""
    with Scripted() as server:
        yield server


def test_every_row_has_a_test() -> None:
    assert set(ANSWERS) - {"ERR"} == set(ERROR_ACTIONS)


@pytest.mark.parametrize("prefix", ERROR_ACTIONS)
def test_an_error_reply_has_its_action_and_error(prefix: str) -> None:
    reply, action, kind = ANSWERS[prefix]
    error = ResponseError(reply)
    assert retry_action(error) is action
    if kind is not None:
        assert type(report("call", error)) is kind


@pytest.mark.parametrize("prefix", TERMINAL)
def test_a_terminal_error_is_reported_at_once_and_not_sent_again(scripted: Scripted, prefix: str) -> None:
    reply, _, kind = ANSWERS[prefix]
    assert kind is not None
    with Book.open(scripted.url(deadline=3)) as book:
        scripted.answer("EVALSHA", f"-{reply}\r\n", times=99)
        with pytest.raises(kind):
            book.orders.fill(execution(fresh()))
        assert scripted.asked["EVALSHA"] == 1


@pytest.mark.parametrize("prefix", WAITED_FOR)
def test_a_temporary_error_is_sent_again_until_it_is_accepted(scripted: Scripted, prefix: str) -> None:
    with Book.open(scripted.url(deadline=5)) as book:
        scripted.answer("EVALSHA", f"-{ANSWERS[prefix][0]}\r\n", times=3)
        scripted.answer("EVALSHA", PLACED)
        assert book.orders.place(limit(fresh())).order.version == 1
        assert scripted.asked["EVALSHA"] == 4


@pytest.mark.parametrize("prefix", WAITED_FOR)
def test_a_temporary_error_is_unavailable_after_the_deadline(scripted: Scripted, prefix: str) -> None:
    with Book.open(scripted.url(deadline=0.3)) as book:
        scripted.answer("EVALSHA", f"-{ANSWERS[prefix][0]}\r\n", times=10_000)
        with pytest.raises(Unavailable, match=prefix):
            book.orders.place(limit(fresh()))
        assert 1 < scripted.asked["EVALSHA"] < 20  # with growing pauses: no storm


def test_a_key_that_has_not_arrived_is_waited_for_where_slots_migrate(scripted: Scripted) -> None:
    reply = f"-{ANSWERS['TRYAGAIN'][0]}\r\n"
    with Book.open(scripted.url(deadline=5)) as book:
        scripted.answer("EVALSHA", reply)
        with pytest.raises(UnexpectedReply, match="verify"):  # no slot moves here: the book is damaged
            book.orders.place(limit(fresh()))
    with Book.open(scripted.cluster_url(deadline=5)) as book:
        scripted.answer("EVALSHA", reply, times=5)
        scripted.answer("EVALSHA", PLACED)
        assert book.orders.place(limit(fresh())).order.version == 1
        assert scripted.asked["EVALSHA"] == 7


def test_a_script_that_the_server_does_not_know_is_sent_with_its_source(scripted: Scripted) -> None:
    with Book.open(scripted.url(deadline=3)) as book:
        scripted.answer("EVALSHA", f"-{ANSWERS['NOSCRIPT'][0]}\r\n")
        scripted.answer("EVAL", PLACED)
        assert book.orders.place(limit(fresh())).order.version == 1
        assert (scripted.asked["EVALSHA"], scripted.asked["EVAL"]) == (1, 1)


TRANSPORT: dict[str, tuple[Exception, RetryAction, type[SlotbookError] | None]] = {
    "refused": (ConnectionError("Error 111 connecting"), RetryAction.REDISCOVER, None),
    "closed": (ConnectionError("Connection closed by server."), RetryAction.REDISCOVER, None),
    "timeout": (TimeoutError("Timeout reading from socket"), RetryAction.REDISCOVER, None),
    "loading": (BusyLoadingError("Redis is loading the dataset in memory"), RetryAction.REDISCOVER, None),
    "wrong password": (AuthenticationError("invalid username-password pair"), RetryAction.REPORT, AccessDenied),
    "too many clients": (ConnectionError("max number of clients reached"), RetryAction.REPORT, PoolExhausted),
    "our pool": (PoolExhausted("all 2 connections stayed busy"), RetryAction.REPORT, PoolExhausted),
}


@pytest.mark.parametrize("how", [Unsent, Unanswered])
@pytest.mark.parametrize("name", TRANSPORT)
def test_a_failed_connection_has_its_action_and_error(name: str, how: type[Unsent] | type[Unanswered]) -> None:
    cause, action, kind = TRANSPORT[name]
    failure: Failure = how(cause)
    assert retry_action(failure) is action
    if kind is not None:
        assert isinstance(report("call", failure), kind)


def test_a_tls_error_is_permanent_unless_the_other_side_just_hung_up() -> None:
    broken, hung_up = ConnectionError("Error 1"), ConnectionError("Error 8")
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.reason = "CERTIFICATE_VERIFY_FAILED"
    broken.__cause__ = refused
    hung_up.__cause__ = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    assert retry_action(Unsent(broken)) is RetryAction.REPORT
    assert type(report("call", Unsent(broken))) is InvalidSettings
    assert retry_action(Unsent(hung_up)) is RetryAction.REDISCOVER


def test_a_name_that_does_not_resolve_is_tried_again() -> None:
    unknown = ConnectionError("Error -2")
    unknown.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert retry_action(Unsent(unknown)) is RetryAction.REDISCOVER


def test_a_script_that_touched_a_key_elsewhere_waits_for_the_migration() -> None:
    for reply in (
        "ERR Error running script: Script attempted to access a non local key in a cluster node",
        "Script attempted to access a non local key in a cluster node script: f_1, on @user_script:14.",
    ):
        assert retry_action(ResponseError(reply)) is RetryAction.WAIT_FOR_MIGRATION


def test_a_lost_reply_is_unknown_unless_the_call_may_be_repeated(scripted: Scripted) -> None:
    source = "return 1"
    once = evaluate("once", Script(source, "0" * 40), ("k",), (), decode=lambda _: None)
    with Book.open(scripted.url(deadline=0.4)) as book:
        scripted.hang_up("EVALSHA", times=10_000)
        with pytest.raises(OutcomeUnknown):
            book.backend.run(once)
        assert scripted.asked["EVALSHA"] > 1  # it carries an identity
        scripted.asked.clear()
        scripted.hang_up("HGETALL", times=10_000)
        with pytest.raises(Unavailable):  # a read that was lost changed nothing
            book.orders.get(fresh(), "A1")
