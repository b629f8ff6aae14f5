"""Bring several calls to their outcomes, without I/O: what goes to which node next, and what each answer means.

A backend asks a :class:`Batch` for a plan, sends the bytes, and hands it the answers, until every call has its outcome.
One call is a batch of one. :class:`ReadRound` is a shortcut for reads, none of which waits for another.
"""

from __future__ import annotations

from .read_round import ReadRound
from .rounds import Batch, Pace

__all__ = ["Batch", "Pace", "ReadRound"]
