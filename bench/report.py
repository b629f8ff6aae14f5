"""The whole benchmark, from starting the servers to the last figure."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TypeAlias, get_args

from .. import __version__
from ..repositories import Book
from ..repositories.changes.scripts import engine
from ..repositories.orders.calls import SELECT
from ..repositories.orders.verbs import ORDER_VERBS, OrderRequest
from ..repositories.records.verbs import OWN_VERBS
from ..topology.call import pack
from ..topology.embedded import Topology
from . import crowds, server_time, singles, stores, tables, weights
from .floor import BareSocket, Floor
from .latency import Latency, latency
from .material import Material
from .measure import Race, Result, run
from .peers import open_peers
from .peers.peer import Peer, Site
from .scope import Scope
from .stage import address_of, private_book

OnJob: TypeAlias = Callable[[str], None]
"""Called with the name of each job before it is measured."""


@dataclass(slots=True)
class Report:
    """Every figure, and the versions of everything that was measured."""

    versions: dict[str, str] = field(default_factory=dict[str, str])
    results: list[Result] = field(default_factory=list[Result])
    latencies: dict[Topology, Latency] = field(default_factory=dict[Topology, Latency])
    """The latency of events on each topology."""


@dataclass(frozen=True, slots=True)
class _Set:
    url: str
    site: Site
    book: Book
    floor: Floor
    peers: list[Peer]


def benchmark(scope: Scope, requests: Sequence[OrderRequest], on_job: OnJob) -> Report:
    """Measure everything.

    Args:
        scope: The sizes and the number of rounds.
        requests: The journal of the replay, which is left out when there are none.
        on_job: Called with the name of each job before it is measured.

    Raises:
        EmbeddedError: When the servers cannot be started.
    """
    report = Report(_versions())

    def measure(race: Race) -> None:
        on_job(f"{race.job} ({race.where})")
        report.results.append(run(race))

    with _set("standalone", report) as standalone:
        for race in singles.races(standalone.site, standalone.floor, standalone.peers, scope):
            measure(race)
        for race in tables.races(standalone.site, standalone.floor, standalone.peers, scope):
            measure(race)
        for race in stores.open_orders(standalone.site, standalone.book, standalone.floor, standalone.peers, scope):
            measure(race)
        with crowds.races(standalone.site, standalone.url, standalone.peers, scope) as races:
            for race in races:
                measure(race)
        measure(stores.near(standalone.site, standalone.book, standalone.peers, scope))
        if requests:
            measure(stores.replay(standalone.site, standalone.book, standalone.floor, requests[: scope.rows], scope))
    with _set("cluster", report) as cluster:
        for race in singles.races(cluster.site, cluster.floor, cluster.peers, scope):
            measure(race)
        for race in tables.races(cluster.site, cluster.floor, cluster.peers, scope):
            measure(race)
    with server_time.races(scope) as races:
        for race in races:
            measure(race)
    on_job(f"a store of {scope.store:,} orders")
    with stores.full(scope) as race:
        measure(race)
    on_job(f"a table of {scope.store:,} records of one trader")
    with tables.full(scope) as races:
        for race in races:
            measure(race)
    for topology in get_args(Topology):
        on_job(f"events ({topology})")
        with private_book(topology) as (deployment, _):
            report.latencies[topology] = latency(deployment.url, scope.events)
    on_job("memory")
    report.results += weights.weigh(scope)
    return report


@contextmanager
def _set(topology: Topology, report: Report) -> Generator[_Set]:
    with private_book(topology) as (deployment, book):
        address = address_of(deployment)
        floor = Floor(address, deployment.password, cluster=topology == "cluster")
        scripts = {SELECT, engine(), *(engine(verb.step) for verb in (*ORDER_VERBS, *OWN_VERBS))}
        floor.load([script.source for script in scripts])
        site = Site(address, deployment.password, topology == "cluster", Material(book))
        peers, versions = open_peers(site)
        report.versions |= versions
        report.versions["server"] = _server(floor.by_slot[0])
        try:
            yield _Set(deployment.url, site, book, floor, peers)
        finally:
            for peer in peers:
                peer.close()
            floor.close()


def _versions() -> dict[str, str]:
    found = {"slotbook": __version__, "Python": platform.python_version()}
    return found | {name: version(name) for name in ("hiredis", "pydantic")}


def _server(server: BareSocket) -> str:
    said = str(server.ask(pack(("INFO", "server"))))
    found = dict(re.findall(r"^(\w+):(.*?)\r?$", said, re.MULTILINE))
    if "valkey_version" in found:
        return f"Valkey {found['valkey_version']}"
    return f"Redis {found.get('redis_version', '?')}"
