"""Figures as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .measure import Result


def plot(results: Sequence[Result], folder: Path) -> None:
    """Draw."""
