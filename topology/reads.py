"""Many reads, none of which waits for another.

Of a batch's calls there are thousands, which the garbage collector has to look through; so what is asked of many keys
alike is kept as lists of numbers and bytes, and a call is only made of a read that went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .call import Call, Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reads(Generic[T]):
    """Where each read belongs and what is sent, in the order of their numbers; how a reply is read, and the call."""

    slots: Sequence[int]
    packed: Sequence[bytes]
    decode: Callable[[int, Reply], T]
    call: Callable[[int], Call[T]]


def reads_of(calls: Sequence[Call[T]]) -> Reads[T]:
    """Calls that only read, as reads."""
    return Reads(
        [call.slot for call in calls],
        [call.packed for call in calls],
        lambda number, reply: calls[number].decode(reply),
        calls.__getitem__,
    )
