"""A browser, a book of its own for each test, and the failovers of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from ..faults.conftest import deploy
from ..support.browser import chromium
from ..support.fleet import Fleets
from ..support.make import fresh

__all__ = ["deploy"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser for the tests of one file; its event loop must not be there when others run theirs."""
    with chromium() as running:
        yield running


@pytest.fixture
def url(fleets: Fleets) -> str:
    """Return the URL of a book with a new prefix on a standalone server."""
    return fleets.of("standalone").url({"prefix": fresh("web") + ":"})
