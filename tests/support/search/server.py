"""The server that searches, and how much is searched; without one the tests of search are skipped."""

from __future__ import annotations

import os
from typing import cast

import pytest
from hypothesis import HealthCheck

SERVER = os.environ.get("SLOTBOOK_SEARCH_SERVER")
"""The program of a server with search, such as ``.ci/search-server`` makes."""
REQUIRED = os.environ.get("SLOTBOOK_REQUIRE_SEARCH") == "1"
ORDERS = int(os.environ.get("SLOTBOOK_SEARCH_ORDERS", "2000"))
EXPRESSIONS = int(os.environ.get("SLOTBOOK_SEARCH_EXPRESSIONS", "60"))
TRADERS = 64

QUIET = cast("list[HealthCheck]", [*HealthCheck])
"""Every health check of hypothesis, to suppress them: a slow machine is no failure."""

searching = pytest.mark.skipif(
    SERVER is None and not REQUIRED,
    reason="needs a server with search: set SLOTBOOK_SEARCH_SERVER to what .ci/search-server prints",
)
