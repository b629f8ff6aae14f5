"""Fixtures that tests of topology share with those of faults."""

from __future__ import annotations

from ..faults.conftest import deploy

__all__ = ["deploy"]
