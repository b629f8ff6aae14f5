"""The Docker engine for these tests; without one they are skipped, or fail where SLOTBOOK_REQUIRE_DOCKER is set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.docker.engine import REQUIRED, Engine, connect, missing
from ..support.docker.stack import sweep


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Yield the Docker engine, without what killed test processes left behind."""
    reason = missing()
    if reason and REQUIRED:
        pytest.fail(f"{reason} (and SLOTBOOK_REQUIRE_DOCKER is set)")
    if reason:
        pytest.skip(f"{reason} (docker/engine.sh starts one on Debian)")
    found = connect()
    sweep(found)
    yield found
    found.close()
