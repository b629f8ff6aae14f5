"""Shared servers, one set per test process, and the desks that work on them."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TypeAlias, cast
from zlib import crc32

import pytest
from hypothesis import settings
from slotbook import Book
from slotbook.topology import call
from slotbook.topology.embedded import Topology

from .support.callers import CALLERS, Caller, open_book
from .support.desk import Desk
from .support.fleet import Fleets

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")
DESKS = tuple(product(TOPOLOGIES, CALLERS))
PAIRS = tuple((DESKS[one], DESKS[other]) for one, other in ((0, 5), (2, 1), (4, 3)))
"""Three pairs of desks, each with both callers on two topologies; together they are all desks."""
EVERY_DESK = "SLOTBOOK_EVERY_DESK" in os.environ
_DESK = re.compile(r"\b(?:(?:standalone|sentinel|cluster)-)?(?:sync|asyncio)\b")
PAIRED = ("desk", "stand", "hands", "caches")
"""Fixtures on all desks; of a test two are run, or of each of its cases."""
LONE = ("lone_desk", "lone_stand")
"""Fixtures on one server for both callers."""
Books: TypeAlias = dict[tuple[Topology, Caller], Book]

settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):  # an image's: each process would compile all that it imports anew
    sys.dont_write_bytecode = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell ignores Ctrl-C for what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Remove settings of Slotbook from the environment during the tests, except which server to run."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("SLOTBOOK_")}
    if "SLOTBOOK_SERVER" in kept:
        os.environ["SLOTBOOK_SERVER"] = kept["SLOTBOOK_SERVER"]
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session", autouse=True)
def _only_text_is_packed() -> Iterator[None]:
    """Look at every command of every test: hiredis gets text and bytes; see tests/topology/test_packed_words.py."""
    names = call.__dict__
    original, plain = names["_pack_command"], frozenset({str, bytes})

    def watched(words: tuple[object, ...]) -> bytes:
        if not plain.issuperset(map(type, words)):
            others = [word for word in words if not isinstance(word, (str, bytes))]
            assert not others, f"{words[:2]} has words that are no text: {others}"
        return original(words)

    names["_pack_command"] = watched
    yield
    names["_pack_command"] = original


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--running FILE``: use the servers that a file describes (tests/support/running.py), and start none."""
    parser.addoption("--running", type=Path, default=None, help="use servers that are running already")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes ``desk`` a pair of them, or all: of a table, each case is run on one."""
    said = [str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")]
    if "desk" in metafunc.fixturenames and "desk" not in said:
        pair = PAIRS[crc32(metafunc.definition.nodeid.encode()) % len(PAIRS)]
        metafunc.parametrize("desk", DESKS if EVERY_DESK or said else pair, ids="-".join, indirect=True)


def _case_of(item: pytest.Item) -> str:
    """Return the name of a case without its desk."""
    return _DESK.sub("", item.nodeid)


def _is_chosen(item: pytest.Item) -> bool:
    """Return True for what is run: a test on two desks, each case of its table on one; cases of a fault on two."""
    given = cast("dict[str, object]", getattr(getattr(item, "callspec", None), "params", {}))
    said = {str(mark.args[0]): mark.args[1:] for mark in item.iter_markers("parametrize")}
    name = next((name for name in (*PAIRED, *LONE) if name in given), None)
    on_one = said.get(str(name)) == ([("standalone", caller) for caller in CALLERS],)
    if name is None or (name in said and not on_one):
        return True
    case = _case_of(item)
    number = crc32(case.encode())  # the names decide, so what failed is chosen again when it is run again
    if on_one or name in LONE:
        mine = CALLERS[number % len(CALLERS)]
        return case.endswith("[]") or given[name] in (mine, ("standalone", mine))
    if name == "desk":
        return not said or given[name] == DESKS[number % len(DESKS)]
    return given[name] in PAIRS[number % len(PAIRS)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out other desks, but not from what is named; mix the files of several processes, so that not all wait."""
    if not EVERY_DESK and not any("[" in word for word in config.args):
        left_out: list[pytest.Item] = []
        chosen: list[pytest.Item] = []
        for item in items:
            (chosen if _is_chosen(item) else left_out).append(item)
        items[:] = chosen
        if forgotten := sorted(set(map(_case_of, left_out)) - set(map(_case_of, items))):
            raise pytest.UsageError(f"SLOTBOOK_EVERY_DESK=1 is needed: no desk is chosen for {forgotten}")
        config.hook.pytest_deselected(items=left_out)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: crc32(item.location[0].encode()))


def pytest_collection() -> None:
    """Let the garbage collector wait for the tests: while they are gathered, nothing is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Spare the garbage collector the many thousand tests: a look at all of them takes it some 300 ms each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, *gc.get_threshold()[1:])  # by default it looks after 700 objects, often in vain
    gc.enable()


@pytest.fixture(scope="session")
def fleets(request: pytest.FixtureRequest, _no_settings_from_outside: None) -> Iterator[Fleets]:
    """Yield the deployments of this test process."""
    started = Fleets(cast("Path | None", request.config.getoption("--running")))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """Yield the runner whose event loop everything asyncio uses."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="session")
def books(fleets: Fleets, runner: asyncio.Runner) -> Iterator[Books]:
    """Yield the books that tests share, by topology and caller."""
    opened: Books = {}
    yield opened
    for book in opened.values():
        book.close()


def _desk(fleets: Fleets, runner: asyncio.Runner, books: Books, topology: Topology, caller: Caller) -> Iterator[Desk]:
    fleet = fleets.of(topology)
    if (topology, caller) not in books:
        books[topology, caller] = open_book(fleet.url(), caller, runner)
    desk = Desk(fleet, caller, runner, books[topology, caller])
    yield desk
    desk.finish()


@pytest.fixture
def desk(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner, books: Books) -> Iterator[Desk]:
    """Yield a desk on every topology, for threads or for asyncio; see ``pytest_generate_tests``."""
    topology, caller = cast("tuple[Topology, Caller]", request.param)
    yield from _desk(fleets, runner, books, topology, caller)


@pytest.fixture(params=CALLERS)
def lone_desk(request: pytest.FixtureRequest, fleets: Fleets, runner: asyncio.Runner, books: Books) -> Iterator[Desk]:
    """Yield a desk on one server, for threads and for asyncio: for tests that do not depend on the topology."""
    yield from _desk(fleets, runner, books, "standalone", cast(Caller, request.param))
