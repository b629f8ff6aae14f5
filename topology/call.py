"""Describe one round trip, a :class:`Call`: what is sent, to which hash slot, and how the reply is decoded.

Nothing here finds the server of a slot or does I/O; a backend does.

>>> get = command("get order A1", "HGETALL", "{T001}:order:A1", decode=len)
>>> get.slot, get.readonly
(6536, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, cast

import hiredis
from redis.crc import key_slot

from ..models.errors import CrossSlot, SlotbookError
from .misreadings import MISREADINGS, unexpected
from .scripts import Script

Reply: TypeAlias = "int | str | list[Reply] | None"
"""A reply of a server that is not an error."""

T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)
Argument: TypeAlias = str | bytes
"""A word of a command. hiredis crashes on an int when a signal handler raises at that moment: it does not look whether
``str`` has failed. For text and bytes it calls nothing of Python's."""


# Its type stub declares only tuples of one element, and no result.
_pack_command = cast(
    "Callable[[tuple[Argument, ...]], bytes]",
    hiredis.pack_command,  # pyright: ignore[reportUnknownMemberType]
)


def pack(arguments: Sequence[Argument]) -> bytes:
    """Return one command as bytes in the Redis protocol: an array of bulk strings, for RESP2 and RESP3 alike.

    See https://redis.io/docs/latest/develop/reference/protocol-spec/.
    """
    return _pack_command(tuple(arguments))


class CommandPacker:
    """Packs the commands that redis-py itself sends, among whose words are numbers; see ``Argument``."""

    def pack(self, *words: object) -> list[bytes]:
        """Return one command as bytes; redis-py writes the parts of its name in one word."""
        first, *others = [word if isinstance(word, (str, bytes)) else str(word) for word in words]
        return [pack((*first.split(), *others))]


class Piece(NamedTuple):
    """A part of what goes to a server in one write."""

    payload: bytes
    """Packed commands."""
    replies: int
    """The number of replies to them."""


def _bulk_strings(*words: Argument) -> bytes:
    """Return the words of a command as bulk strings, without the header of the array that says how many they are."""
    return _pack_command(words).partition(b"\r\n")[2]


@lru_cache(maxsize=65_536)
def slot_of_tag(tag: str) -> int:
    """Return the hash slot of every key that has this hash tag."""
    return key_slot(tag.encode())


def _hashed_part(key: str) -> str:
    """Return the part of a key that its slot is computed from: the hash tag, or the whole key when it has none."""
    start = key.find("{")
    end = key.find("}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else key


def slot_of(keys: Sequence[str]) -> int:
    """Return the one hash slot of all keys. Raises CrossSlot when they are in several, on every topology alike."""
    first, part = keys[0], _hashed_part(keys[0])
    tag = first[: first.find("{") + len(part) + 2] if part is not first else ""
    for key in keys[1:]:
        if tag and key.startswith(tag):  # the usual case: the keys begin alike, up to the end of the tag
            continue
        if (other := _hashed_part(key)) != part and slot_of_tag(other) != slot_of_tag(part):
            raise CrossSlot(f"{first} and {key} live in different hash slots; one call can only touch one slot")
    return slot_of_tag(part)


class CallBuilder(Protocol[R_contra]):
    """Builds the calls of requests that change something."""

    def change(self, request: R_contra, /) -> Call[object]:
        """Return the call for a request."""
        ...


@dataclass(slots=True, eq=False)  # treated as frozen; a frozen one would take longer to make than to send
class Call(Generic[T_co]):
    """One round trip: what is sent, which hash slot it belongs to, and how the reply is decoded.

    ``rebuild`` returns the same call, built anew from what its builder has learned meanwhile::

        place = order_calls.place(order)
        result = backend.run(place)
    """

    name: str
    """For error messages, such as ``place T001/A1``."""
    keys: tuple[str, ...]
    slot: int
    packed: bytes
    """The command, ready to be sent."""
    decode: Callable[[Reply], T_co]
    """Return the call's value for a reply. Raises the SlotbookError that the reply means; see ``value``."""
    readonly: bool
    repeatable: bool
    """True when the call may be sent again after a lost reply: it only reads, or it carries an identity by which the
    server recognises a repeat."""
    script: Script | None = None
    builder: CallBuilder[object] | None = None
    request: object = None
    about: tuple[str, ...] = ()
    """The keys that the call is about, if it is not only about its first."""
    touched: str = "version"
    """A field of a hash, which is written back unchanged to prove the durability of the call."""
    touched_in: str = ""
    """The hash of the ``touched`` field, in the call's slot, if that is not the first key."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """The keys that the call is about: of writes that share one, the next waits for the one before."""
        return self.about or self.keys[:1]

    def value(self, reply: Reply) -> T_co:
        """Return the call's value for a reply.

        Raises the SlotbookError that the reply means, UnexpectedReply for one that cannot be a reply to the call.
        """
        try:
            return self.decode(reply)
        except SlotbookError:
            raise
        except MISREADINGS as error:
            raise unexpected(self.name, reply, readonly=self.readonly) from error

    def build(self) -> Call[T_co]:
        """Return the call itself, which is already built."""
        return self

    def rebuild(self) -> Call[T_co]:
        """Return the same call as its builder would build it now; the call itself when it has no builder."""
        return self if self.builder is None else cast("Call[T_co]", self.builder.change(self.request))

    @property
    def packed_with_source(self) -> bytes:
        """The same command with the script's source in place of its digest, which also loads the script."""
        if self.script is None:
            return self.packed
        header, _, rest = self.packed.partition(_bulk_strings("EVALSHA", self.script.digest))
        return header + _bulk_strings("EVAL", self.script.source) + rest

    @property
    def follows_ask(self) -> bool:
        """True when the call may be sent to the node that imports its slot, while the slot migrates.

        A script may not: it touches keys whose names it reads from others, and a key that has not arrived yet would
        look as if it did not exist.
        """
        return self.script is None and len(self.keys) == 1


@dataclass(slots=True, eq=False)
class PendingCall(Generic[T_co]):
    """A change whose call is built when its turn comes.

    So a batch's calls are built while the servers work on those before them, each from what its builder has learned by
    then. A batch plans it like a :class:`Call`: it has the same ``subjects``, ``slot``, ``readonly`` and ``build``.
    """

    subjects: tuple[str, ...]
    slot: int
    builder: CallBuilder[object]
    request: object

    readonly: ClassVar[bool] = False

    def build(self) -> Call[T_co]:
        """Return the call, built now."""
        return cast("Call[T_co]", self.builder.change(self.request))

    def rebuild(self) -> PendingCall[T_co]:
        """Return the same object: nothing is built yet that could be out of date."""
        return self


# Keyword arguments would add about a hundred nanoseconds to every call that is built.
_READONLY = _REPEATABLE = True


def command(
    name: str, verb: str, key: str, *arguments: Argument, decode: Callable[[Reply], T_co], tag: str | None = None
) -> Call[T_co]:
    """Return the call of a plain command that reads one key.

    Args:
        name: The call's name in error messages.
        verb: The command's first word, such as ``HGETALL``.
        key: The key that it reads.
        arguments: The words that follow the key in the command.
        decode: Returns the call's value for a reply.
        tag: The key's hash tag, if it is known; None looks for it in the key.
    """
    packed = _pack_command((verb, key, *arguments))
    slot = slot_of_tag(_hashed_part(key) if tag is None else tag)
    return Call(name, (key,), slot, packed, decode, _READONLY, _REPEATABLE)


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
    about: tuple[str, ...] = (),
    touched: str = "version",
    touched_in: str = "",
    tag: str | None = None,
) -> Call[T_co]:
    """Return the call of a script on keys of one hash slot. Raises CrossSlot when they are in several.

    The call may be sent again after a lost reply, so a script that writes must recognise its own repeat.

    Args:
        name: The call's name in error messages.
        script: The script; a server that does not know it is sent its source.
        keys: The script's keys, in its order; the first is what the call is about.
        arguments: The script's arguments, in its order.
        decode: Returns the call's value for a reply.
        readonly: True for a script that writes nothing.
        builder: Builds the call anew from ``request`` before it is sent again, if what it carries can go out of date.
        request: The request that the builder builds the call from.
        about: The keys that the call is about, if it is not only about its first.
        touched: A field of a hash that is written back to prove the call's durability.
        touched_in: The hash that has the field, in the same slot; by default the first key.
        tag: The hash tag of all keys, if it is known; None looks for it in the keys.
    """
    keys = tuple(keys)
    slot = slot_of(keys) if tag is None else slot_of_tag(tag)
    packed = _pack_command(("EVALSHA", script.digest, str(len(keys)), *keys, *arguments))
    built_by = cast("CallBuilder[object] | None", builder)
    touch = (touched, touched_in)
    return Call(name, keys, slot, packed, decode, readonly, _REPEATABLE, script, built_by, request, about, *touch)
