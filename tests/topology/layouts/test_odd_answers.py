"""The map of a topology stays a map, or an error says why not, whatever servers answer about the primaries."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redis.exceptions import RedisError, ResponseError
from slotbook.models.errors import SlotbookError
from slotbook.topology.address import Address, address_told
from slotbook.topology.batch import Batch, ReadRound
from slotbook.topology.batch.proof import read_proof
from slotbook.topology.call import Reply, command
from slotbook.topology.connections.reader import INCOMPLETE, Reader
from slotbook.topology.connections.role import demotion_told
from slotbook.topology.error_mapping import Failure, OutOfStep, Unanswered
from slotbook.topology.layouts import (
    ClusterLayout,
    DiscoveryError,
    Layout,
    SentinelLayout,
    StandaloneLayout,
    redirect_target,
)
from slotbook.topology.listening.channels import Channel, ChannelKind, MessageFeed
from slotbook.topology.listening.pushes import parse_invalidation, parse_push
from slotbook.topology.misreadings import scan_page
from slotbook.topology.reads import reads_of

from ...support.faults.odd import BROKEN, ERRORS, VALUES

ANSWERS = int(os.environ.get("SLOTBOOK_REPLIES", "25")) * 4
fuzz = settings(max_examples=ANSWERS, deadline=None)
HERE = Address("127.0.0.1", 7000)
LAYOUTS: dict[str, Callable[[], Layout]] = {
    "standalone": lambda: StandaloneLayout(HERE),
    "sentinel": lambda: SentinelLayout([HERE, Address("127.0.0.1", 7001)], "desk"),
    "cluster": lambda: ClusterLayout([HERE, Address("127.0.0.1", 7001)]),
}


class _Parser:
    def parse_error(self, response: str) -> Exception:
        if response.startswith("MOVED"):  # as redis-py does
            slot, address = response.split(" ")[1:]
            return ResponseError(f"{int(slot)} {address}")
        return ResponseError(response)


def read(data: bytes) -> Reply | RedisError:
    """Return the reply that some bytes are, or redis-py's error for them."""
    reader = Reader(_Parser())
    reader.feed(data)
    try:
        found = reader.next()
    except RedisError as error:
        return error
    return None if found is INCOMPLETE else found


_hosts = st.sampled_from(["127.0.0.1", "", "?", "db.desk", "db..desk", "a" * 70, "x y", None, 5, "\0"])
_ports = st.sampled_from([6379, 0, -1, 65_536, "6379", "x", "²", None, [1], 10**30])
_numbers = st.sampled_from([0, 16_383, 16_384, -1, "0", "x", None, 5_461])
ROWS = st.lists(st.tuples(_numbers, _numbers, st.tuples(_hosts, _ports).map(list)).map(list), max_size=3)
STATE = st.lists(st.sampled_from(["config-epoch", "5", "x", "flags", "promoted", "ip", "port", "²"]), max_size=6)
ODD: st.SearchStrategy[object] = st.one_of(
    VALUES.map(read), st.sampled_from(BROKEN).map(read), ROWS, STATE, st.tuples(_hosts, _ports).map(list)
)


@pytest.mark.parametrize("topology", LAYOUTS)
@fuzz
@given(answers=st.lists(ODD, min_size=12, max_size=12))
def test_discovery_ends_with_a_map_or_with_an_error_of_ours(topology: str, answers: list[Reply | Failure]) -> None:
    layout, given_answers = LAYOUTS[topology](), iter(answers * 20)
    discovery = layout.discover()
    try:
        questions = next(discovery)
        while True:
            questions = discovery.send(
                [[next(given_answers) for _ in range(questions.commands)] for _ in questions.addresses]
            )
    except StopIteration:
        assert all(address_told(*address) == address for address in layout.primaries())
        layout.shards()
    except (DiscoveryError, SlotbookError):
        return


@fuzz
@given(answers=st.lists(ODD, min_size=3, max_size=3))
def test_a_proof_is_a_proof_or_none(answers: list[Reply | Failure]) -> None:
    proof = read_proof(answers, HERE)
    proven = proof.doubt is None and proof.refusal is None
    assert not proven or (isinstance(answers[0], str) and answers[0] == answers[2] and proof.replicas >= 0)


@fuzz
@given(text=st.one_of(st.sampled_from(ERRORS), st.from_regex(r"MOVED [0-9]{1,6} \S{0,6}:[0-9]{1,6}", fullmatch=True)))
def test_a_redirect_names_a_slot_and_an_address_or_nothing(text: str) -> None:
    found = redirect_target(ResponseError(text), HERE)
    assert found is None or (0 <= found[0] < 16_384 and address_told(*found[1]) == found[1])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MOVED 16383 10.0.0.1:65535", (16_383, Address("10.0.0.1", 65_535))),
        ("ASK 0 :1", (0, Address("127.0.0.1", 1))),
        ("MOVED 16384 10.0.0.1:7000", None),
        ("MOVED 5 10.0.0.1:65536", None),
        ("MOVED 5 10.0.0.1:0", None),
        ("MOVED -1 10.0.0.1:7000", None),
        ("MOVED 5 10.0..1:7000", None),
        ("MOVED 5 10.0.0.1", None),
    ],
)
def test_the_bounds_of_a_redirect(text: str, found: tuple[int, Address] | None) -> None:
    assert redirect_target(ResponseError(text), HERE) == found


def test_the_answers_of_a_node_with_a_reply_too_many_are_taken_back() -> None:
    layout = StandaloneLayout(HERE)
    calls = [command(f"get {number}", "GET", f"k{number}", decode=str) for number in range(3)]
    lost = Unanswered(OutOfStep("one too many"))
    read_round = ReadRound(reads_of(calls), range(3), layout)
    take = read_round.reader(HERE, [0, 1, 2])
    for answer in ("another's", "0", "1"):
        take(answer)
    read_round.doubt(HERE, [0, 1, 2], lost)
    left = read_round.rest(0.0)
    assert left is not None
    assert len(left.pending) == 3
    batch = Batch(calls, layout, 0.0)
    (request,) = batch.plan()
    for answer in ("another's", "0", "1"):
        batch.on_reply(request, answer)
    batch.doubt(request, lost)
    batch.clear()
    assert len(batch.pending) == 3


@fuzz
@given(reply=ODD)
@example(reply=["role", []])
def test_what_is_no_reply_to_a_question_is_told(reply: Reply | RedisError) -> None:
    for ask, errors in (
        (lambda: demotion_told("here", reply), OutOfStep),
        (lambda: scan_page("scan", reply), SlotbookError),
    ):
        with suppress(errors):
            ask()
    assert isinstance(Unanswered(OutOfStep("x")).cause, RedisError)


class _Listener:
    def on_subscribed(self, feed: int, channel: str) -> None: ...
    def on_message(self, feed: int, channel: str, pattern: str | None, text: str) -> None: ...
    def on_unsubscribed(self, channel: str) -> None: ...
    def on_refused(self, error: SlotbookError) -> None: ...


@fuzz
@given(message=ODD)
def test_a_feed_takes_a_message_or_raises_an_error_of_redis_py(message: object) -> None:
    feed = MessageFeed(1, HERE, [Channel("c", ChannelKind.SHARDED)], _Listener(), 1.0)
    feed.opening_commands()
    pushed = cast("list[object]", message if isinstance(message, list) else [message])
    for take in (lambda: feed.receive(cast("object", message)), lambda: feed.receive(parse_push(pushed))):
        with suppress(RedisError):
            take()
    assert parse_invalidation(pushed) is not None
