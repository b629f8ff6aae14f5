"""Compare the hash of one own record with what it is named by, and with its events. Nothing here does I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count

from ...models.entity_codec import DIGEST_FIELD, SCHEMA_FIELD
from ...models.enums import EventType
from ...models.keys import TraderKeys
from .findings import FindingKind, Report
from .history import History
from .own_history import KnownRecord
from .own_registry import Registration, registry_of
from .own_states import OwnState

_VERSION = re.compile(r"[1-9][0-9]{0,14}", re.ASCII).fullmatch
_TIME = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII).fullmatch
_DIGEST = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII).fullmatch
_OF_THE_BOOK = ("version", "updated_ns", DIGEST_FIELD, SCHEMA_FIELD)
_BY_HAND = "put the record again with what it should have"


class OwnFields:
    """The comparison of the hash of one own record that is there."""

    def __init__(self, keys: TraderKeys, state: OwnState, history: History, report: Report) -> None:
        self.state = state
        self.disputed: set[str] = set()
        """The fields of which events say something else."""
        self.known = history.known_record(state.kind, state.key, state.as_of)
        """The record as it follows from its events; None when not enough of them are kept."""
        self.registry = registry_of(state.header)
        self._key = keys.own_record(state.kind, state.key)
        self._trader = keys.trader
        self._report = report

    def is_proven(self, field: str) -> bool:
        """Return True when the record's events say the same as it of a field; '' is that there is such a record."""
        known = self.known
        if known is None or not field:
            return known is not None and known.last is not None
        return known.fields is not None and known.fields.get(field) == self.state.fields.get(field)

    @property
    def registration(self) -> Registration | None:
        """The fields by which a record of this schema is found; None when the header does not say."""
        return self.registry.registrations.get((self.state.kind, self.state.fields.get(SCHEMA_FIELD, "")))

    def compare(self) -> bool:
        """Compare the record, and return True when it is this record, so that its places can be compared."""
        is_this = self._compare_names() and self._compare_schema()
        self._compare_form()
        known = self.known
        if known is None:
            return is_this
        if known.last is None or known.last.type is EventType.DELETE:
            why = "no event wrote it" if known.last is None else f"event {known.last.sequence:,} deleted it"
            what = f"{self.state.label} is there, and {why}; delete it, or put it again if it should be there"
            self._add(None, what, "there", None, {"record": "there", **self._said("nothing", known)})
            return False
        self._compare_events(known)
        return is_this

    def _compare_names(self) -> bool:
        """Check that the hash is the record that its key names."""
        state, held = self.state, self.state.fields.get("trader")
        if held != self._trader:
            what = f"{state.label} says that its trader is {held}; {_BY_HAND}"
            self._add("trader", what, held, self._trader, {"record": held, "key": self._trader})
            return False
        if not _is_named_by(state.key, {*state.fields.values()}):
            what = f"{state.label} has no fields that its key could be of; {_BY_HAND}, and delete this one"
            self._add(None, what, None, None, {"key": state.key})
            return False
        return True

    def _compare_schema(self) -> bool:
        """Check that the header knows the schema of the record."""
        state, schema = self.state, self.state.fields.get(SCHEMA_FIELD)
        brought_to = self.registry.schemas.get(state.kind)
        if self.registration is None:
            what = f"{state.label} has the schema {schema}, of which the header does not say what it is found by; "
            what += f"put a record of this kind with that schema, which writes it, or {_BY_HAND}"
            self._add(SCHEMA_FIELD, what, schema, None, {"record": schema, "header": None})
            return False
        if brought_to is None or int(schema or 0) < brought_to:
            what = f"{state.label} has the schema {schema}, and the header says that all have {brought_to}; {_BY_HAND}"
            self._add(SCHEMA_FIELD, what, schema, str(brought_to), {"record": schema, "header": str(brought_to)})
        return True

    def _compare_form(self) -> None:
        """Check the fields that the book gives each record."""
        fields = self.state.fields
        for name, is_right in (("version", _VERSION), ("updated_ns", _TIME), (DIGEST_FIELD, _DIGEST)):
            if not is_right(fields.get(name, "")):
                value = fields.get(name)
                what = f"{self.state.label}: {name} is {'missing' if value is None else repr(value[:80])}; {_BY_HAND}"
                self._report.add(FindingKind.CORRUPT, self._key, name, what, stored=value)
                self.disputed.add(name)

    def _compare_events(self, known: KnownRecord) -> None:
        """Compare the record with what its events say."""
        if known.last is None:
            return
        expected = {"version": str(known.last.version), "updated_ns": str(known.last.ts_ns)}
        names = {*expected}
        schema = self.state.fields.get(SCHEMA_FIELD, "")
        is_known = self.registration is not None and not self.registry.may_be_upgraded(self.state.kind, schema)
        if known.fields is not None and is_known:
            expected |= known.fields
            names |= known.fields.keys() | (self.state.fields.keys() - {*_OF_THE_BOOK})
        for name in sorted(names - self.disputed):
            stored, wanted = self.state.fields.get(name), expected.get(name)
            if stored != wanted:
                self.disputed.add(name)
                what = f"{self.state.label}: {name} is {stored}, and its events say {wanted}; {_BY_HAND}"
                self._add(name, what, stored, wanted, {"record": stored, **self._said(wanted, known)})

    def _said(self, value: str | None, known: KnownRecord) -> Mapping[str, str | None]:
        return {"events" if known.last is None else f"event {known.last.sequence}": value}

    def _add(
        self, entry: str | None, what: str, stored: str | None, expected: str | None, says: Mapping[str, str | None]
    ) -> None:
        self._report.add(FindingKind.RECORD, self._key, entry, what, stored=stored, expected=expected, says=says)


def _is_named_by(key: str, values: set[str]) -> bool:
    """Return True when a key can be that of a record with some values: one of them, or several.

    >>> _is_named_by("BRK%3AB:X:N", {"BRK:B", "X:N"}), _is_named_by("a:b", {"a:b"}), _is_named_by("a:b", {"a"})
    (True, True, False)
    """
    rest = key
    for _ in count():
        if rest in values:
            return True
        first, colon, rest = rest.partition(":")
        if not colon or first.replace("%3A", ":").replace("%25", "%") not in values:
            return False
    raise AssertionError  # count() has no end
