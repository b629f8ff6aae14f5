"""Build the call of a lone insert in the shortest way, and read its usual answer; this module does no I/O.

What is sent is to the byte what the engine's own builder would send, and what is read is what its reader would read:
most words of an insert are the same for all of one trader, so they are packed once, and most answers say the same.
Whatever is not usual is left to the engine's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar, cast

from ...models.entity import Entity
from ...models.entity_changes import Insert
from ...models.enums import EventType
from ...models.errors import printable
from ...models.keys import Keys
from ...models.results import RecordResult
from ...models.table import TableModel
from ...topology.call import Call, CallBuilder, Reply, slot_of_tag
from ...topology.scripts import Script
from ..changes.answers import OneReader
from ..changes.loss_detector import LossDetector, Tip, Told
from ..changes.scripts import engine
from ..changes.verb import AnyStep
from .verbs import INSERT, ttl_of

E = TypeVar("E", bound=Entity)

MOST_TRADERS = 10_000
"""The traders whose words are remembered: names may come from user input."""
_WORDS, _KEYS = 31, "6"
"""The words of such an insert whose record stays, and the number of its keys."""
_LONGEST_NUMBER = 15
"""The digits of a sequence number that is read here."""


class _Packed(NamedTuple):
    """Keys and packed words that all inserts of one trader by one writer have alike."""

    mark: str
    """The writer."""
    script: Script
    slot: int
    keys: tuple[str, ...]
    """The keys of the engine, without those of a step."""
    record: str
    """The beginning of the key of a record, and that of what is remembered when it was deleted."""
    deleted: str
    head: str
    """The words up to the step's keys, and those up to the call's count."""
    writer: str


class InsertCalls(Generic[E]):
    """The calls of lone inserts into one table without unique values, whose changes no lock fences."""

    def __init__(
        self,
        table: TableModel[E],
        keys: Keys,
        policy: tuple[str, ...],
        loss_detector: LossDetector,
        step_of: Callable[[Insert[E]], AnyStep],
        otherwise: Callable[[AnyStep], Call[Any]],
    ) -> None:
        self._table, self._kind, self._keys = table, table.kind, keys
        self._loss_detector = loss_detector
        self._step_of, self._otherwise = step_of, otherwise
        self._packed: dict[str, _Packed] = {}
        self._settled = _bulk_strings("", *policy, "", "", INSERT.step, EventType.INSERT.value, table.kind)
        """The words between what is acknowledged and the record's id."""
        ttl = ttl_of(table)
        seldom = ("", "", "", ttl, "", "") if ttl else ()
        self._end = _bulk_strings(table.schemas.text, table.declared, *seldom)
        self._words = _WORDS + len(seldom)
        self._is_plain = (self._settled + self._end + keys.prefix).isascii()

    def change(self, request: Insert[E], /) -> Call[RecordResult[E]]:
        """Return the call of an insert, packed with what is known of losses now."""
        json_text, digest = self._table.json_and_digest(request.written)
        trader, key, time = request.trader, request.key_text, str(request.ts_ns)
        # Of ASCII each character is a byte. The JSON has all fields, and so what trader and key are made of.
        if not (self._is_plain and json_text.isascii()):
            return self._otherwise(self._step_of(request))
        told = self._loss_detector.tell(trader)
        packed = self._packed.get(trader)
        if packed is None or packed.mark != told.mark:
            packed = self._pack(trader, told.mark)
        count, acknowledged = str(told.counted), told.acknowledged
        record, deleted = packed.record + key, packed.deleted + key
        text = (
            f"{packed.head}${len(record)}\r\n{record}\r\n${len(deleted)}\r\n{deleted}\r\n"
            f"{packed.writer}${len(count)}\r\n{count}\r\n${len(acknowledged)}\r\n{acknowledged}\r\n"
            f"{self._settled}${len(key)}\r\n{key}\r\n${len(time)}\r\n{time}\r\n"
            f"${len(digest)}\r\n{digest}\r\n${len(json_text)}\r\n{json_text}\r\n{self._end}"
        )
        name = f"insert {self._kind} {trader}/{key if key.isprintable() else printable(key)}"
        return Call(
            name,
            (*packed.keys, record, deleted),
            packed.slot,
            text.encode(),
            InsertReader(self._loss_detector, told, name, request, self._step_of),
            False,  # noqa: FBT003  # by their places, as evaluate does
            True,  # noqa: FBT003
            packed.script,
            cast("CallBuilder[object]", self),
            request,
            (record,),
            "sequence",
        )

    def _pack(self, trader: str, mark: str) -> _Packed:
        keys, kind = self._keys.of(trader), self._kind
        fixed = (keys.book, keys.events, keys.positions, keys.book)
        if len(self._packed) >= MOST_TRADERS:
            self._packed.clear()
        script = engine(INSERT.step)
        packed = self._packed[trader] = _Packed(
            mark,
            script,
            slot_of_tag(trader),
            fixed,
            keys.own_record(kind, ""),
            keys.own_deleted(kind, ""),
            f"*{self._words}\r\n" + _bulk_strings("EVALSHA", script.digest, _KEYS, *fixed),
            _bulk_strings(trader, "each", mark),
        )
        return packed


class InsertReader(Generic[E]):
    """A reader of the answer to a lone insert; what it returns is the call's value."""

    __slots__ = ("_loss_detector", "_name", "_request", "_step_of", "told")

    def __init__(
        self,
        loss_detector: LossDetector,
        told: Told,
        name: str,
        request: Insert[E],
        step_of: Callable[[Insert[E]], AnyStep],
    ) -> None:
        self._loss_detector = loss_detector
        self.told = told
        """The part of the call by which losses are noticed."""
        self._name = name
        self._request = request
        self._step_of = step_of

    def __call__(self, reply: Reply) -> RecordResult[E]:
        """Return the value. Raises StateLost when earlier changes are lost, with the result or the refusal."""
        record, told = self._request.first, self.told
        if record is not None and type(reply) is list and len(reply) == 3 and type(last := reply[1]) is str:
            number, _, writer = last.partition(" ")
            is_usual = reply[0] == "" and writer == told.own and reply[2] == ["applied", number, "1"]
            if is_usual and len(number) <= _LONGEST_NUMBER and number.isascii() and number.isdecimal():
                tip = Tip(int(number), writer)
                result = RecordResult(record, applied=True, sequence=tip.sequence, version=1)
                if first := self._loss_detector.acknowledge(told, tip):
                    raise self._loss_detector.record_loss(told, first, tip, result, None)
                return result
        reader: OneReader[RecordResult[E]] = OneReader(
            self._loss_detector, told, self._name, (self._step_of(self._request),)
        )
        return reader(reply)


def _bulk_strings(*words: str) -> str:
    """Return words as bulk strings; their lengths are right where all are of ASCII."""
    return "".join([f"${len(word)}\r\n{word}\r\n" for word in words])
