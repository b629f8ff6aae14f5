"""Each topology in containers without faults: the contract tests and a real day, as the application's user."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from slotbook.topology.embedded import Topology

from ..support.docker.engine import Engine
from ..support.docker.stack import Stack
from ..support.package import ROOT
from ..support.replays import begin_replay, end_replay, needs_data
from ..support.running import save

TOPOLOGIES: tuple[Topology, ...] = ("standalone", "sentinel", "cluster")
CONTRACT = (
    *(f"tests/repositories/{folder}" for folder in ("book", "orders", "positions")),
    *(f"tests/topology/test_{name}.py" for name in ("addresses", "batches")),
    *(f"tests/topology/connections/test_{name}.py" for name in ("busy_poll", "crowd")),
)
"""The tests of what a book promises, which can use any servers."""
_FILES = [
    str(file.relative_to(ROOT))
    for name in CONTRACT
    for file in (sorted((ROOT / name).glob("test_*.py")) if (ROOT / name).is_dir() else [ROOT / name])
]
_COUNT = 10
PARTS = {f"{part} of {_COUNT}": _FILES[part - 1 :: _COUNT] for part in range(1, _COUNT + 1)}
"""The same in parts, each of which takes far less than the five minutes that a test may take."""


@pytest.fixture(scope="module")
def stacks(engine: Engine) -> Iterator[dict[Topology, Stack]]:
    """Yield all three topologies, which run at the same time."""
    with ExitStack() as opened:
        yield {topology: opened.enter_context(Stack(engine, topology)) for topology in TOPOLOGIES}


def contract(folder: Path, *options: str, files: Sequence[str] = CONTRACT) -> subprocess.CompletedProcess[str]:
    """Run the contract tests on running servers; a test also fails when the user was denied a command."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir={folder / 'cache'}"),
            *("--running", folder / "running.json", *options, *files),
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=540,
    )
    assert done.returncode in (0, 1), done.stdout[-20_000:] + done.stderr
    print(done.stdout.splitlines()[-1])
    return done


@pytest.mark.parametrize("part", PARTS)
def test_the_contract_holds(stacks: dict[Topology, Stack], tmp_path: Path, part: str) -> None:
    """Tests that can share the servers run together."""
    save(tmp_path / "running.json", [stack.running for stack in stacks.values()])
    together = contract(tmp_path, "-n", "2", "--maxfail=5", "-m", "not alone", files=PARTS[part])
    assert together.returncode == 0, together.stdout[-20_000:]


def test_what_needs_the_servers_for_itself_holds_too(stacks: dict[Topology, Stack], tmp_path: Path) -> None:
    """These tests run one after the other."""
    save(tmp_path / "running.json", [stack.running for stack in stacks.values()])
    alone = contract(tmp_path, "-n", "0", "-m", "alone")
    if alone.returncode == 1:  # a healthcheck that comes at the wrong moment is counted, too
        alone = contract(tmp_path, "-n", "0", "-m", "alone", "--last-failed")
    assert alone.returncode == 0, alone.stdout[-20_000:]


@needs_data
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_real_order_flow(stacks: dict[Topology, Stack], topology: Topology) -> None:
    report = end_replay(begin_replay(stacks[topology].url(prefix="replay:")))
    assert (report["applied"], report["repeated"], report["under_replicated"]) == (30_000, 0, 0)


def test_nothing_listens_beyond_loopback(stacks: dict[Topology, Stack]) -> None:
    """Every port of the containers is on loopback alone."""
    for stack in stacks.values():
        stack.check_loopback()
