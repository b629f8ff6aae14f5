"""The server's time for a change, and the plain commands that it is measured beside."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import cast

import hiredis
import pytest
from slotbook import Book, Order
from slotbook.bench import server_time
from slotbook.bench.material import cancel_of, fill_of
from slotbook.bench.measure import FLOOR, SLOTBOOK, Race, repeated, run
from slotbook.bench.monitor import Monitor, Seen
from slotbook.bench.recorder import Recorder
from slotbook.bench.scope import QUICK
from slotbook.bench.server_time import PLAIN, SCRIPTED
from slotbook.bench.stage import address_of, cores_apart
from slotbook.models.errors import OrderNotFound
from slotbook.models.order import Replace
from slotbook.repositories.orders.verbs import OrderRequest
from slotbook.topology.call import pack

from ..support.fleet import Fleet

TRADER = "T001"
WORDS = 'said "\\n" Ü, {\\x41}'

State = dict[str, tuple[object, object]]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    fleet = Fleet("standalone")
    yield fleet
    fleet.stop()


@pytest.fixture
def recorder(fleet: Fleet) -> Iterator[Recorder]:
    with Book.open(fleet.private.url) as book:
        settings = book.backend.settings
    with closing(Recorder(address_of(fleet.private), fleet.private.password, settings)) as recorder:
        yield recorder


def orders(count: int) -> list[Order]:
    terms = {"symbol": "AAPL", "side": "BUY", "quantity": 100, "price": "187.23", "text": WORDS, "ts_ns": 1}
    return [Order.model_validate({"trader": TRADER, "order_id": f"A{number}", **terms}) for number in range(count)]


def change(job: str, order: Order) -> OrderRequest:
    if job == "replace":
        return Replace(trader=order.trader, order_id=order.order_id, price=Decimal("187.25"), text=WORDS)
    return fill_of(order) if job == "fill" else cancel_of(order)


def stages(job: str, count: int) -> list[list[OrderRequest]]:
    placed = orders(count)
    return [[*placed], []] if job == "place" else [[*placed], [change(job, order) for order in placed]]


def state(fleet: Fleet) -> State:
    """Return every key's value and when it expires."""
    ask = fleet.raw("").ask
    keys = cast("list[str]", ask("KEYS", "*"))
    return {key: (ask("DUMP", key), ask("PEXPIRETIME", key)) for key in keys}


def writes(fleet: Fleet) -> dict[str, int]:
    reading = {"hgetall", "hget", "hmget", "hlen", "zrange", "zcard", "zcount", "xrange", "scard", "time"}
    reading |= {"exists", "get"}
    others = {"evalsha", "info", "config|resetstat", "flushall", "keys", "dump", "pexpiretime", "auth"}
    return {name: calls for name, calls in fleet.calls().items() if name not in reading | others}


@pytest.mark.parametrize("job", ["place", "fill", "cancel", "replace"])
def test_plain_commands_leave_the_server_as_the_changes_did(fleet: Fleet, recorder: Recorder, job: str) -> None:
    before, measured = recorder.one_by_one(*stages(job, 40))
    left = state(fleet)
    assert f"{{{TRADER}}}:order:A39" in left
    scripted = [recorder.in_a_script(commands) for commands in before.writes + measured.writes]
    for sent in (before.all_writes + measured.all_writes, scripted):
        recorder.empty()
        recorder.send(sent)
        assert state(fleet) == left


@pytest.mark.parametrize("job", ["place", "fill", "cancel", "replace"])
def test_plain_commands_are_all_that_a_change_writes(fleet: Fleet, recorder: Recorder, job: str) -> None:
    before, measured = recorder.one_by_one(*stages(job, 5))
    counts: list[dict[str, int]] = []
    for commands in (before.calls + measured.calls, before.all_writes + measured.all_writes):
        recorder.empty()
        fleet.ask("", "CONFIG", "RESETSTAT")
        recorder.send(commands)
        counts.append(writes(fleet))
    scripted, plain = counts
    assert scripted == plain
    assert plain["spublish"] == plain["xadd"] == len(before.calls) + len(measured.calls)


def test_a_recorded_change_is_applied_when_it_is_sent_again(recorder: Recorder) -> None:
    before, measured = recorder.one_by_one(*stages("fill", 3))
    recorder.empty()
    answers = recorder.send(before.calls) + recorder.send(measured.calls)
    assert [cast("list[list[str]]", answer)[2][0] for answer in answers] == ["applied"] * 6
    answers = recorder.send(measured.calls)
    assert [cast("list[list[str]]", answer)[2][0] for answer in answers] == ["repeat"] * 3


def test_a_batch_is_recorded_as_the_repository_sends_it(fleet: Fleet, recorder: Recorder) -> None:
    deployment = fleet.private
    recording = recorder.batches(orders(40), [fill_of(order) for order in orders(40)])
    assert [len(batch.calls) for batch in recording] == [2, 2]
    recorder.empty()
    with (
        closing(Monitor(address_of(deployment), deployment.password)) as monitor,
        Book.open(deployment.url) as book,
    ):
        book.orders.place_many(orders(40))
        book.orders.fill_many([fill_of(order) for order in orders(40)])
        sent = [words for _, words in heard(fleet, monitor) if words[0] in (b"EVAL", b"EVALSHA")]
        for calls in recording:
            recorder.send(calls.calls)
        recorded = [words for _, words in heard(fleet, monitor) if words[0] == b"EVALSHA"]
    assert len(sent) == len(recorded) == 4
    assert [without_writer(words) for words in sent] == [without_writer(words) for words in recorded]


def heard(fleet: Fleet, monitor: Monitor) -> list[Seen]:
    fleet.ask("", "ECHO", "now")
    return monitor.until("now")


def without_writer(words: tuple[bytes, ...]) -> list[bytes]:
    """Return the keys and arguments of EVALSHA but for the mark, the count, and what was acknowledged to the writer."""
    assert words[0].startswith(b"EVAL")
    keys = int(words[2])
    at = 3 + keys + 2
    assert re.fullmatch(rb"[0-9a-f]{8}", words[at])
    return [*words[2:at], *words[at + 3 :]]


def test_a_refused_change_is_not_recorded(recorder: Recorder) -> None:
    cancels = [cancel_of(order) for order in orders(2)]
    for record in (recorder.one_by_one, recorder.batches):
        with pytest.raises(OrderNotFound):
            record(cancels)
    with pytest.raises(hiredis.ReplyError, match="wrong number"):
        recorder.send([pack(("GET",))])


def test_monitor_shows_every_byte(fleet: Fleet) -> None:
    every = bytes(range(256)).decode("latin-1").encode()
    with closing(Monitor(address_of(fleet.private), fleet.private.password)) as monitor:
        fleet.ask("", "SET", "bytes", every)
        fleet.ask("", "EVAL", "return redis.call('GET', KEYS[1])", 1, "bytes")
        (_, written), (_, script), (by_script, read) = heard(fleet, monitor)
    assert written == (b"SET", b"bytes", every)
    assert (script[0], by_script, read) == (b"EVAL", True, (b"GET", b"bytes"))


def test_a_line_of_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="OK"):
        Seen.parse("OK")


def test_the_servers_time_counts_its_work_and_not_its_idling(fleet: Fleet, recorder: Recorder) -> None:
    busy = "local n = 0 for i = 1, 3000000 do n = n + i end return n"
    began = recorder.main_thread_seconds()
    assert began > 0
    fleet.ask("", "EVAL", busy, 0)
    worked = recorder.main_thread_seconds() - began
    fleet.ask("", "BLPOP", "absent", 0.2)
    idled = recorder.main_thread_seconds() - began - worked
    assert worked > 0
    assert idled < 0.1


def test_servers_and_callers_have_cores_of_their_own(fleet: Fleet) -> None:
    if sys.platform != "linux" or len(before := os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores, and Linux to tell them apart")
    (server,) = fleet.private.servers
    with cores_apart(fleet.private):
        mine, its = os.sched_getaffinity(0), os.sched_getaffinity(server.pid)
    assert (mine & its, mine | its, len(its)) == (set(), before, 1)
    assert os.sched_getaffinity(0) == before


def test_a_race_goes_by_its_own_clock() -> None:
    ticks = iter(range(100))
    race = Race("job", "here", {FLOOR: repeated(int)}, 2, 3, unit="ticks", clock=lambda: float(next(ticks)))
    raced = run(race)
    assert (raced.unit, raced.figures) == ("ticks", {FLOOR: [5e5] * 3})


def test_every_job_is_measured_beside_plain_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_time, "CHANGES", 50)
    with server_time.races(QUICK) as races:
        results = [run(race) for race in races]
    assert {result.job: result.goals[0].at_most for result in results} == {
        "place, one at a time": 1.3,
        "place 50": 1.4,
        "fill, one at a time": 1.45,
        "fill 50": 1.7,
        "cancel, one at a time": 1.3,
        "replace, one at a time": 1.3,
    }
    for result in results:
        assert result.unit == "µs of the server"
        one_at_a_time = {SCRIPTED} if result.job.endswith("one at a time") else set[str]()
        assert set(result.figures) == {SLOTBOOK, PLAIN} | one_at_a_time
        assert all(figure > 0 for figures in result.figures.values() for figure in figures)
