"""Shared servers, one set per test process, and the desks that work on them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Protocol, TypeAlias, cast
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


def _all_are_run(config: pytest.Config) -> bool:
    """Return True if no case is left out: the environment says so, or one is named with its brackets."""
    return EVERY_DESK or any("[" in word for word in config.args)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes ``desk`` a pair of them, or all: of a table, each case is run on one."""
    said = [str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize")]
    if "desk" in metafunc.fixturenames and "desk" not in said:
        pair = PAIRS[crc32(metafunc.definition.nodeid.encode()) % len(PAIRS)]
        desks = DESKS if said or _all_are_run(metafunc.config) else pair
        metafunc.parametrize("desk", desks, ids="-".join, indirect=True)


def _is_chosen(metafunc: pytest.Metafunc, name: str, given: Mapping[str, object]) -> bool:
    """Return True for what is run: a test on two desks, each case of its table on one; cases of a fault on two.

    ``name`` is what the case is called, without its desk.
    """
    said = {str(mark.args[0]): mark.args[1:] for mark in metafunc.definition.iter_markers("parametrize")}
    fixture = next((one for one in (*PAIRED, *LONE) if one in given), None)
    on_one = said.get(str(fixture)) == ([("standalone", caller) for caller in CALLERS],)
    if fixture is None or (fixture in said and not on_one):
        return True
    number = crc32(name.encode())  # the names decide, so what failed is chosen again when it is run again
    if on_one or fixture in LONE:
        mine = CALLERS[number % len(CALLERS)]
        return name.endswith("[]") or given[fixture] in (mine, ("standalone", mine))
    if fixture == "desk":
        return not said or given[fixture] == DESKS[number % len(DESKS)]
    return given[fixture] in PAIRS[number % len(PAIRS)]


class _Chooser:
    """Leaves out other desks before pytest makes tests of them, which it would do in every process."""

    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Keep the cases that are run, of those that all others have made."""
        calls = cast("list[_Case]", vars(metafunc)["_calls"])
        if len(calls) < 2 or _all_are_run(metafunc.config):
            return
        names = [_DESK.sub("", f"{metafunc.definition.nodeid}[{case.id}]") for case in calls]
        named = list(zip(names, calls, strict=True))
        kept = [(name, case) for name, case in named if _is_chosen(metafunc, name, case.params)]
        if forgotten := sorted(set(names) - {name for name, _ in kept}):
            raise pytest.UsageError(f"SLOTBOOK_EVERY_DESK=1 is needed: no desk is chosen for {forgotten}")
        calls[:] = [case for _, case in kept]


class _Case(Protocol):
    """A case of a test, as pytest keeps it."""

    @property
    def id(self) -> str: ...

    @property
    def params(self) -> Mapping[str, object]: ...


def pytest_configure(config: pytest.Config) -> None:
    """Have cases left out when all are known: a function of this file comes before those that read marks."""
    config.pluginmanager.register(_Chooser())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the files of several processes, so that not all wait."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_mixed)


def _mixed(item: pytest.Item) -> tuple[int, str]:
    """Return what puts files in another order; an item's location would say the file too, but takes far longer."""
    file = item.nodeid.partition("::")[0]
    return crc32(file.encode()), file


def pytest_collection(session: pytest.Session) -> None:
    """Let the garbage collector wait for the tests: while they are gathered, nothing is garbage."""
    gc.disable()
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if count > 1 and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        _load_in_turn(session.config.rootpath, int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")), count)


def _load_in_turn(root: Path, number: int, count: int) -> None:
    """Load the files of tests, each process from another one on: what one has compiled, the others read.

    If all began with the first, each would find none compiled, and compile all itself: four seconds.
    """
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    first = len(files) * number // count
    for path in (*files[first:], *files[:first]):
        with contextlib.suppress(Exception, pytest.skip.Exception):  # pytest loads it again, and says why it cannot
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """Spare the garbage collector the many thousand tests: a look at all of them takes it some 300 ms each time.

    What little garbage there is stays: to find it, it would have to look at all of them once.
    """
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
