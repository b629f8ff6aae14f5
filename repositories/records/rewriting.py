"""Build the calls of a run that brings the records of a model to its schema. Nothing here does I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from ...models.entity import Entity
from ...models.entity_codec import SCHEMA_FIELD
from ...models.errors import HistoryTrimmed
from ...models.keys import TraderKeys, glob_escaped, is_name
from ...models.table import TableModel
from ...topology.call import Call, Reply, evaluate
from ...topology.settings import Settings
from ..changes.engine import ChangeCalls
from ..changes.loss_detector import LossDetector
from ..changes.scripts import load
from ..changes.verb import AnyVerb, OlderRecord, Step, Verb
from ..replies import fields, integer, refusal, rows, text
from .replies import not_unique, schema_refusal

E = TypeVar("E", bound=Entity)

KEYS_AT_ONCE = 500
"""The keys that one script looks at, and the events."""

_PACKAGE = "slotbook.repositories.records"
OLDER = load(_PACKAGE, "older")
MARK = load(_PACKAGE, "mark")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The writing of a record in its model's schema, if it is as it was read."""

    table: TableModel[Any]
    trader: str
    key_text: str
    stored: str
    """The version and the schema of the record as it was read."""
    changes: Mapping[str, str | None]
    """The written fields that its upgrade changes; None for one that is removed."""

    @classmethod
    def of(cls, table: TableModel[Any], hash_key: str, trader: str, key: str, stored: Mapping[str, str]) -> Rewrite:
        """Return the writing of a record that was read. Raises what ``TableModel.decode`` does."""
        changes = table.upgrade_of(hash_key, stored, trader, key, {})
        return cls(table, trader, key, f"{stored['version']} {stored[SCHEMA_FIELD]}", changes)


def _keys(keys: TraderKeys, request: Rewrite) -> tuple[str, ...]:
    kind = request.table.kind
    given = ((field, request.changes.get(field)) for field in request.table.uniques)
    taken = [keys.own_unique(kind, field, value) for field, value in given if value is not None]
    return keys.own_record(kind, request.key_text), *taken


def _arguments(request: Rewrite) -> tuple[str, ...]:
    table = request.table
    changes = json.dumps(request.changes, ensure_ascii=False, separators=(",", ":"))
    return table.kind, request.key_text, request.stored, changes, table.schemas.text, table.declared


def _read(step: Step[Rewrite], answer: list[Reply]) -> str:
    return read_rewrite(step.name, step.request.table, answer)


def read_rewrite(name: str, table: TableModel[Any], answer: list[Reply]) -> str:
    """Return what has become of a record: migrated, current or gone. Raises OlderRecord with what it is by now."""
    match answer:
        case ["migrated" | "current" | "gone" as what]:
            return what
        case ["older", list(flat)]:
            raise OlderRecord(name, fields(flat))
        case ["unique", str(field), str(value), str(owner)]:
            raise not_unique(name, field, value, owner)
        case ["newer" | "declared" as why, str(found)]:
            raise schema_refusal(name, table, why, found)
        case other:
            raise refusal(name, other)


MIGRATE: AnyVerb = Verb(
    name="migrate",
    request=Rewrite,
    event=None,
    step="migrate",
    keys=_keys,
    arguments=_arguments,
    read_answer=_read,
    describe=lambda request: f"migrate {request.table.kind} {request.trader}/{request.key_text}",
)


class Page(NamedTuple):
    """The older records that one step of a run has seen of a trader's, and where the next step begins."""

    records: dict[str, dict[str, str]]
    """The written fields of the records of an older schema, by the text of the key."""
    last: int
    """The number of the last event of the trader, or of the last that was looked at."""
    after: str = ""
    """The key after which the next page begins; '' when there is none."""
    ended: str = ""
    """``marked`` when all records are of the model's schema; ``lost`` when the server does not have the last step;
    ``nothing`` when nothing is stored of the trader."""


class MigrationCalls(ChangeCalls[Rewrite, str], Generic[E]):
    """The calls of the runs over one table of one book."""

    def __init__(self, table: TableModel[E], settings: Settings, loss_detector: LossDetector) -> None:
        super().__init__((MIGRATE,), settings, loss_detector)
        self.table = table

    @property
    def pattern(self) -> str:
        """The SCAN pattern of the indexes of all of the traders' records."""
        return f"{self.keys.escaped_prefix}{{*}}:{glob_escaped(self.table.kind)}_keys"

    def traders_of(self, found: Sequence[str] | set[str]) -> list[str]:
        """Return the traders whose indexes have been found."""
        end = f"}}:{self.table.kind}_keys"
        names = (key.removeprefix(self.keys.prefix + "{").removesuffix(end) for key in found)
        return [name for name in names if is_name(name)]

    def older(self, trader: str, run: str, step: int, after: str, written: Sequence[str]) -> Call[Page]:
        """Return the call that reads the records of an older schema on the page that follows the text of a key.

        ``written`` has the keys of the records that were written since the step before.
        """
        keys, kind = self.keys.of(trader), self.table.kind
        name = f"migrate {kind} of {trader}"
        return evaluate(
            name,
            OLDER,
            OLDER.keys(book=keys.book, all=keys.own_keys(kind), run=keys.own_migrating(kind, run)),
            OLDER.arguments(
                kind=kind,
                schema=self.table.schemas.text,
                base=keys.own_record(kind, ""),
                number=str(step),
                after=after,
                limit=str(KEYS_AT_ONCE),
                written=written,
            ),
            decode=lambda reply: self._page(name, trader, 0, rows(reply)),
            touched="sequence",
            tag=trader,
        )

    def mark(self, trader: str, run: str, step: int, since: int, after_all: str, written: Sequence[str]) -> Call[Page]:
        """Return the call that looks at what has changed since an event, and then marks the trader.

        When nothing is of an older schema by then, ``after_all`` says what to do: ``mark``, or ``end`` without it.
        ``written`` has the keys of the records that were written since the step before.
        """
        keys, kind = self.keys.of(trader), self.table.kind
        name = f"mark {kind} of {trader}"
        return evaluate(
            name,
            MARK,
            MARK.keys(book=keys.book, events=keys.events, all=keys.own_keys(kind), run=keys.own_migrating(kind, run)),
            MARK.arguments(
                kind=kind,
                schema=self.table.schemas.text,
                declared=self.table.declared,
                base=keys.own_record(kind, ""),
                number=str(step),
                since=str(since),
                limit=str(KEYS_AT_ONCE),
                after_all=after_all,
                written=written,
            ),
            decode=lambda reply: self._page(name, trader, since, rows(reply)),
            touched="sequence",
            tag=trader,
        )

    def _page(self, name: str, trader: str, since: int, reply: list[Reply]) -> Page:
        match reply:
            case ["marked" | "lost" | "nothing" as ended]:
                return Page({}, since, ended=ended)
            case ["trimmed", str(first)]:
                raise HistoryTrimmed(trader, since + 1, max(since + 1, integer(first) - 1))
            case ["newer" | "declared" as why, str(found)]:
                raise schema_refusal(name, self.table, why, found)
            case ["page", str(last), str(after), *found]:
                return Page(_records(found), integer(last), after)
            case ["looked", str(last), *found]:
                return Page(_records(found), integer(last))
            case other:
                raise refusal(name, other)


def _records(found: list[Reply]) -> dict[str, dict[str, str]]:
    return {text(key): fields(flat) for key, flat in zip(found[::2], found[1::2], strict=True)}
