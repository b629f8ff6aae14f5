"""Containers to work on and to break; without an engine every test here is skipped, or fails where one is required."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..support.docker.engine import REQUIRED, Engine, connect, missing
from ..support.docker.stack import sweep


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The Docker engine."""
    reason = missing()
    if reason and REQUIRED:
        pytest.fail(f"{reason} (and SLOTBOOK_REQUIRE_DOCKER is set)")
    if reason:
        pytest.skip(f"{reason} (docker/engine.sh starts one on Debian)")
    found = connect()
    sweep(found)
    yield found
    found.close()
