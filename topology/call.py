"""What is asked of a server, without saying which server, or how: a :class:`Call` is one round trip.

>>> get = command("get order A1", "HGETALL", "{T001}:order:A1", decode=len)
>>> get.slot, get.readonly
(6536, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Generic, Protocol, TypeAlias, TypeVar, cast

import hiredis
from redis.crc import key_slot

from ..models.errors import CrossSlot
from .scripts import Script

Reply: TypeAlias = "int | str | list[Reply] | None"
"""What a server answers, errors apart."""

T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)
Argument: TypeAlias = str | bytes | int


# Its type stub knows only tuples of one, and no result.
_pack_command = cast(
    "Callable[[tuple[Argument, ...]], bytes]",
    hiredis.pack_command,  # pyright: ignore[reportUnknownMemberType]
)


def pack(arguments: Sequence[Argument]) -> bytes:
    """One command in the form of the Redis protocol (RESP2, arrays of bulk strings)."""
    return _pack_command(tuple(arguments))


def _words(*words: Argument) -> bytes:
    """Words of a command, without how many there are."""
    return _pack_command(words).partition(b"\r\n")[2]


@lru_cache(maxsize=65_536)
def slot_of_tag(tag: str) -> int:
    """The hash slot of every key with a hash tag."""
    return key_slot(tag.encode())


def _hashed_part(key: str) -> str:
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else key


def slot_of(keys: Sequence[str]) -> int:
    """The one hash slot of all keys; raises CrossSlot when there are several, on every topology alike."""
    first, part = keys[0], _hashed_part(keys[0])
    tag = first[: first.find("{") + len(part) + 2] if part is not first else ""
    for key in keys[1:]:
        if tag and key.startswith(tag):  # the usual: they begin alike, up to the end of the tag
            continue
        if (other := _hashed_part(key)) != part and slot_of_tag(other) != slot_of_tag(part):
            raise CrossSlot(f"{first} and {key} live in different hash slots; one call can only touch one slot")
    return slot_of_tag(part)


class CallBuilder(Protocol[R_contra]):
    """Makes calls that change something."""

    def change(self, request: R_contra, /) -> Call[object]:
        """The call for a request of a kind that it takes."""
        ...


@dataclass(slots=True, eq=False)  # as good as frozen, which would cost more to make than to send
class Call(Generic[T_co]):
    """One round trip: what is sent, where it belongs, and how the reply is read.

    ``repeatable`` says that it may be sent again when a reply was lost: it only reads, or it carries an identity by
    which the server recognises a repeat. ``renew`` makes the same call with what its builder knows by then.
    """

    name: str
    keys: tuple[str, ...]
    slot: int
    packed: bytes
    decode: Callable[[Reply], T_co]
    readonly: bool
    repeatable: bool
    script: Script | None = None
    builder: CallBuilder[object] | None = None
    request: object = None

    @property
    def subject(self) -> str:
        """The key that it is about."""
        return self.keys[0]

    def build(self) -> Call[T_co]:
        """The call itself."""
        return self

    def rebuild(self) -> Call[T_co]:
        """The same call as its builder would make it now."""
        return self if self.builder is None else cast("Call[T_co]", self.builder.change(self.request))

    @property
    def packed_with_source(self) -> bytes:
        """The same call with the script's source in place of its digest, which also loads it."""
        if self.script is None:
            return self.packed
        number, _, rest = self.packed.partition(_words("EVALSHA", self.script.digest))
        return number + _words("EVAL", self.script.source) + rest

    @property
    def follows_ask(self) -> bool:
        """Whether it may be sent to the node that imports its slot while the slot migrates.

        A script may not: it touches keys that it finds on the way, and one that has not arrived yet would look as if it
        did not exist.
        """
        return self.script is None and len(self.keys) == 1


@dataclass(slots=True, eq=False)
class PendingCall(Generic[T_co]):
    """A change whose call is made when its turn comes: while a server works on those before it, and with what its builder
    knows by then.
    """

    subject: str
    slot: int
    builder: CallBuilder[object]
    request: object

    readonly: ClassVar[bool] = False

    def build(self) -> Call[T_co]:
        """The call."""
        return cast("Call[T_co]", self.builder.change(self.request))

    def rebuild(self) -> PendingCall[T_co]:
        """The same: it has nothing yet that could be out of date."""
        return self


def command(
    name: str, verb: str, key: str, *arguments: Argument, decode: Callable[[Reply], T_co], tag: str | None = None
) -> Call[T_co]:
    """A plain command that reads one key; who knows the key's hash tag saves looking for it."""
    packed = _pack_command((verb, key, *arguments))
    return Call(name, (key,), slot_of_tag(_hashed_part(key) if tag is None else tag), packed, decode, True, True)


def evaluate(
    name: str,
    script: Script,
    keys: Sequence[str],
    arguments: Sequence[Argument],
    *,
    decode: Callable[[Reply], T_co],
    readonly: bool = False,
    builder: CallBuilder[R] | None = None,
    request: R | None = None,
) -> Call[T_co]:
    """A script on the keys of one slot; one that writes must recognise its own repeat."""
    keys = tuple(keys)
    packed = _pack_command(("EVALSHA", script.digest, len(keys), *keys, *arguments))
    built_by = cast("CallBuilder[object] | None", builder)
    return Call(name, keys, slot_of(keys), packed, decode, readonly, True, script, built_by, request)
