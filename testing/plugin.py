"""The plugin of pytest: fixtures that give a test a book of its own on real servers, and options to choose them.

A test run that uses none of them imports nothing of Slotbook but this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from ..repositories import AsyncBook, Book
    from ..topology.embedded import Topology
    from ..topology.settings import Settings
    from .failover import Failover
    from .servers import ServerFactory

_TOPOLOGIES: tuple[str, ...] = ("standalone", "sentinel", "cluster")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--slotbook-topology`` and ``--slotbook-url``, and settings of the same meaning."""
    group = parser.getgroup("slotbook", "servers for tests of Slotbook")
    group.addoption(
        "--slotbook-topology",
        choices=_TOPOLOGIES,
        default=None,
        help="servers that are started for tests (slotbook_topology of the configuration, else standalone)",
    )
    group.addoption(
        "--slotbook-url",
        metavar="URL",
        default=None,
        help="use the servers of a URL and start none; each test has a prefix, whose keys are removed",
    )
    parser.addini("slotbook_topology", "servers that are started for tests: standalone, sentinel or cluster")
    parser.addini("slotbook_url", "a URL of servers to use for tests in place of private ones")


@pytest.fixture(scope="session")
def slotbook_server(pytestconfig: pytest.Config) -> Iterator[ServerFactory]:
    """Yield a function that returns the servers of a topology, which the first call of the session starts.

    ::

        def test_it(slotbook_server):
            with slotbook.connect(slotbook_server("cluster").url) as book: ...

    They are on loopback, with a random password and a private folder, and gone afterwards, also after Ctrl-C.
    """
    from .servers import ServerFactory

    servers = ServerFactory(_url_of(pytestconfig))
    yield servers
    servers.stop()


@pytest.fixture
def slotbook_topology(pytestconfig: pytest.Config, slotbook_server: ServerFactory) -> Topology:
    """Return the topology on which ``book`` and ``abook`` work: that of the options.

    Parametrize it to run a test on several::

        @pytest.mark.parametrize("slotbook_topology", ["standalone", "cluster"])
        def test_it(book): ...
    """
    said = cast("str | None", pytestconfig.getoption("--slotbook-topology"))
    said = said or cast(str, pytestconfig.getini("slotbook_topology"))
    if said and said not in _TOPOLOGIES:
        raise pytest.UsageError(f"slotbook_topology is one of {', '.join(_TOPOLOGIES)}, not {said!r}")
    found = slotbook_server.topology_of_url
    if found is not None and said and said != found:
        raise pytest.UsageError(f"the URL is of a {found} deployment, and the topology is to be {said}")
    return cast("Topology", found or said or "standalone")


@pytest.fixture
def slotbook_settings() -> Mapping[str, object]:
    """Return the settings of ``book`` and ``abook`` beside their prefix; override it to set some."""
    return {}


@pytest.fixture
def slotbook_target(
    slotbook_server: ServerFactory, slotbook_topology: Topology, slotbook_settings: Mapping[str, object]
) -> Iterator[Settings]:
    """Yield the settings of ``book`` and ``abook``: where the servers are, and a prefix that no other test has.

    What a test is of may open a book of its own with them: ``slotbook.connect(slotbook_target)``.
    """
    from .books import cleaned, settings_of

    servers = slotbook_server(slotbook_topology)
    settings = settings_of(servers, slotbook_settings)
    with cleaned(servers, settings):
        yield settings


@pytest.fixture
def book(slotbook_target: Settings) -> Iterator[Book]:
    """Yield a book for threads, whose prefix no other test has; it is that of ``abook`` in the same test."""
    from .books import opened

    with opened(slotbook_target) as found:
        yield found


@pytest.fixture
def abook(slotbook_target: Settings) -> Iterator[AsyncBook]:
    """Yield a book for asyncio, whose prefix no other test has; it is that of ``book`` in the same test.

    It connects at its first call, and is closed by the event loop of the test: that of pytest-asyncio, of anyio with
    its backend asyncio, or of ``asyncio.run`` in the test.
    """
    from .books import opened_for_asyncio

    with opened_for_asyncio(slotbook_target) as found:
        yield found


@pytest.fixture
def slotbook_failover(slotbook_server: ServerFactory, slotbook_topology: Topology) -> Iterator[Failover]:
    """Yield a function that kills the primary of a trader's book, and returns when another serves it.

    ::

        def test_it(book, slotbook_failover):
            book.orders.place(order)
            slotbook_failover("T001")
            assert book.orders.get("T001", "A1") is not None

    A test is skipped where nobody can take over: on one server, and on those of a URL.
    """
    from .failover import Failover

    servers = slotbook_server(slotbook_topology)
    if servers.deployment is None or servers.topology == "standalone":
        why = "servers of a URL are not broken" if servers.deployment is None else "nobody takes over from one server"
        pytest.skip(f"slotbook_failover: {why}; choose sentinel or cluster")
    failover = Failover(servers.deployment)
    yield failover
    failover.restart()


def _url_of(config: pytest.Config) -> str | None:
    said = cast("str | None", config.getoption("--slotbook-url")) or cast(str, config.getini("slotbook_url"))
    return said or None
