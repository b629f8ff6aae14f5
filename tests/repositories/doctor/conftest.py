"""Servers of a test module's own, whose settings its tests change and put back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slotbook.topology.embedded import Deployment

from ...faults.conftest import deploy
from ...support.doctor import good_servers

__all__ = ["deploy"]


@pytest.fixture(scope="module")
def lone(_no_settings_from_outside: None) -> Iterator[Deployment]:
    """Yield one server on which nothing is wrong."""
    with good_servers("standalone") as deployment:
        yield deployment
