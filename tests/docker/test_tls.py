"""TLS in containers: with certificates, each of the compose files accepts TLS connections only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import slotbook
from slotbook.models.errors import InvalidSettings, Unavailable
from slotbook.topology.embedded import Topology

from ..support.docker.engine import Engine
from ..support.docker.stack import Stack
from ..support.faults.certificates import Authority
from ..support.make import execution, limit
from ..support.replays import begin_replay, end_replay, needs_data


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with certificates and key, which the containers' user can read."""
    folder = tmp_path_factory.mktemp("certificates")
    certificate, key = Authority(folder, "ca").sign("redis")
    shutil.copy(certificate, folder / "redis.crt")
    shutil.copy(key, folder / "redis.key")
    (folder / "redis.key").chmod(0o644)
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module", params=["standalone", "sentinel", "cluster"])
def stack(request: pytest.FixtureRequest, engine: Engine, certificates: Path) -> Iterator[Stack]:
    with Stack(engine, cast(Topology, request.param), certificates=certificates) as found:
        yield found


def test_tls_and_nothing_else(stack: Stack, certificates: Path) -> None:
    with slotbook.connect(stack.url(tls_ca_file=certificates / "ca.crt")) as book:
        for number in range(20):
            book.orders.place(limit(f"T{number}"))
            assert book.orders.fill(execution(f"T{number}")).position.quantity == 40
    with pytest.raises(InvalidSettings, match="TLS"):  # the system does not trust this authority
        slotbook.connect(stack.url(deadline=3))
    with pytest.raises(Unavailable):  # without TLS
        slotbook.connect(stack.url(deadline=1).replace("rediss", "redis", 1))


@needs_data
@pytest.mark.parametrize("stack", ["cluster"], indirect=True)
def test_the_real_order_flow_over_tls(stack: Stack, certificates: Path) -> None:
    """Only a cluster has TLS between its nodes as well."""
    report = end_replay(begin_replay(stack.url(prefix="replay:", tls_ca_file=certificates / "ca.crt")))
    assert (report["applied"], report["repeated"], report["under_replicated"]) == (30_000, 0, 0)
