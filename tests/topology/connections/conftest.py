"""The deployments behind proxies, for the tests of redis-py's hazards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...support.faults.stand import Stands


@pytest.fixture(scope="session")
def stands(_no_settings_from_outside: None) -> Iterator[Stands]:
    """Yield deployments behind proxies; each starts when a test first asks for it, and runs until the tests end."""
    started = Stands()
    yield started
    started.stop()
