"""Pack the calls that go to one node in one round, and keep track of the call that each reply belongs to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, TypeVar

from ..address import Address
from ..call import Piece, Reply, pack
from ..durability import PROOF_REPLIES
from ..error_mapping import Failure
from .item import Item

T = TypeVar("T")

_ASKING = pack(("ASKING",))
_PIECE = 16_384
"""Bytes after which a piece is sent: about as many as a server reads at once."""
_SMALL_PIECE = 2_048
"""The same where few pieces may be in flight: what a server does in a fraction of a millisecond, for it runs all that
it has read before it turns to other clients."""
_ONE_ROUND_TRIP = 512
"""The changes that go to a server in one round trip, whatever other clients wait for meanwhile."""
PIECES_IN_FLIGHT = 2
"""The most pieces of more changes than that which are sent and not answered."""


@dataclass(slots=True)
class NodeRequest(Generic[T]):
    """The bytes that go to one node in one round, and the replies that are expected."""

    address: Address
    items: list[Item[T]]
    pieces: Iterator[Piece]
    """The commands: each piece is built when the one before has been sent, while the server works on that one."""
    replies: int
    awaited: deque[Item[T] | None]
    """The item that each of the next replies belongs to; None for the reply to ASKING, which is ignored."""
    in_flight: int | None
    """The most pieces that may be sent and not answered; None for any number."""
    proof: list[Reply | Failure] = field(default_factory=list["Reply | Failure"])
    """The replies that follow those of the items, if the durability of their changes is to be proven."""


def node_request(address: Address, items: list[Item[T]], proof: bytes | None) -> NodeRequest[T]:
    """Return the request of some items, followed by the commands that prove their durability, if it is to be proven."""
    awaited: deque[Item[T] | None] = deque()
    for item in items:
        if item.asking_at is not None:
            awaited.append(None)
        awaited.append(item)
    changes = sum(len(item.buildable.subjects) for item in items)
    in_flight, size = (None, _PIECE) if changes <= _ONE_ROUND_TRIP else (PIECES_IN_FLIGHT, _SMALL_PIECE)
    pieces, replies = _pieces(items, size), len(awaited)
    if proof is not None:
        pieces, replies = chain(pieces, (Piece(proof, PROOF_REPLIES),)), replies + PROOF_REPLIES
    return NodeRequest(address, items, pieces, replies, awaited, in_flight)


def _pieces(items: Sequence[Item[T]], enough: int) -> Iterator[Piece]:
    """Yield the commands of some items in pieces of enough bytes, each of which is built when it is asked for."""
    if len(items) == 1 and items[0].asking_at is None:
        call = items[0].call
        yield Piece(call.packed_with_source if items[0].with_source else call.packed, 1)
        return
    sent_with_source: set[str] = set()
    commands: list[bytes] = []
    size = 0
    for item in items:
        if item.asking_at is not None:
            commands.append(_ASKING)
        call = item.call
        script = call.script
        # The first call of each script in a batch brings the source along: a server that has lost its scripts must not
        # refuse one call of a batch and run the next.
        if script is not None and script.digest not in sent_with_source:
            sent_with_source.add(script.digest)
            commands.append(call.packed_with_source)
        else:
            commands.append(call.packed)
        size += len(commands[-1])
        if size >= enough:
            yield Piece(b"".join(commands), len(commands))
            commands, size = [], 0
    if commands:
        yield Piece(b"".join(commands), len(commands))
