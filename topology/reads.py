"""Describe many reads of one batch, none of which waits for another.

A batch may have thousands of reads, and the garbage collector has to look through every object. So they are kept as
lists of numbers and bytes, and a :class:`~.call.Call` is only built of a read that went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .call import Call, Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reads(Generic[T]):
    """Many reads, numbered from 0."""

    slots: Sequence[int]
    """The hash slot of each."""
    packed: Sequence[bytes]
    """The command of each, ready to be sent."""
    decode: Callable[[int, Reply], T]
    """Return the value of a read, given its number and its reply. Raises a SlotbookError."""
    call: Callable[[int], Call[T]]
    """Build the call of the read with a number."""


def reads_of(calls: Sequence[Call[T]]) -> Reads[T]:
    """Return calls that only read as :class:`Reads`."""
    return Reads(
        slots=[call.slot for call in calls],
        packed=[call.packed for call in calls],
        decode=lambda number, reply: calls[number].decode(reply),
        call=calls.__getitem__,
    )
