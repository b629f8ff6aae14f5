"""Compare one trader's own records, step by step. Nothing here does I/O.

Each record is read together with all that names it, by one script that sees one moment. So what changes meanwhile is
not reported, and neither is what is moved from one record to another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice

from ...models.enums import EventType
from ...models.keys import TraderKeys
from ...topology.steps import Steps, ask
from .calls import AuditCalls
from .findings import Finding, FindingKind, Report
from .history import History
from .keys_found import KeysFound
from .lifetimes import NEVER, expiry_of
from .own_calls import PLACES_AT_ONCE, RECORDS_AT_ONCE, read_places, read_records
from .own_deleted import compare_deleted
from .own_fields import OwnFields
from .own_keys import OwnKeys
from .own_places import OwnPlaces
from .own_registry import registry_of
from .own_states import OwnState, beside, beside_which, named_by

OwnName = tuple[str, str]
"""The kind and the key of a record."""
ReadEvents = Callable[[int | None], Steps[None]]
"""A function that reads the events up to one, or to the end."""


class OwnAudit:
    """The comparison of one trader's own records; use each once.

    Args:
        calls: The calls of the audit.
        keys: The keys of the trader.
        history: The events of the trader.
        found: The keys of the trader.
        read_events: Reads on in the events.
    """

    def __init__(
        self, calls: AuditCalls, keys: TraderKeys, history: History, found: KeysFound, read_events: ReadEvents
    ) -> None:
        self.findings: dict[OwnName, list[Finding]] = {}
        """The findings about every record that was compared and has some."""
        self.states: dict[OwnName, OwnState] = {}
        """Every record with findings, as it was read."""
        self.report = Report(keys.trader)
        """The findings about everything else."""
        self.indexes = dict(found.own_indexes)
        """The keys of the indexes of own records, and of own fields of orders, each with that of the set beside it."""
        self.beside = dict(found.own_beside)
        """The keys of the sets beside indexes that there are, each with that of the index."""
        self.compared = 0
        """The number of records that are there."""
        self.gone: set[OwnName] = set()
        """Records that are not there, though no event deleted them."""
        self._calls = calls
        self._keys = keys
        self._history = history
        self._found = found.others
        self._read_events = read_events
        self._places: dict[OwnName, set[str]] = {}
        """The places that name each record."""
        self._holders: dict[tuple[str, str], set[str]] = {}
        """By kind and unique value, the records that have it."""
        self._told: set[str] = set()
        """The fields of the header that were reported."""
        self._rivals: dict[tuple[str, str], frozenset[str]] = {}
        """The same, of those that several records had at one moment."""

    def sets_of(self, key: str) -> tuple[str, str]:
        """Return the index that a key is, or beside which it is, and the set beside that; "" for one without a set."""
        if key in self.indexes:
            return key, self.indexes[key]
        return self.beside.get(key, key), key if key in self.beside else ""

    def compare(self) -> Steps[None]:
        """Compare all records, and what names them."""
        yield from self._read_events(None)
        registry = registry_of(self._history.header)
        sorted_keys = OwnKeys(self._keys, registry, self._found)
        own = [*sorted_keys.indexes.values(), *sorted_keys.sorted.values()]
        base = self._keys.base
        self.indexes |= {base + name: base + beside(name) for names in own for name in names}
        self.beside |= {
            base + name: base + beside_which(name) for names in sorted_keys.beside.values() for name in names
        }
        for kind in sorted(
            {*sorted_keys.records, *sorted_keys.indexes, *sorted_keys.sorted, *sorted_keys.uniques, *sorted_keys.beside}
        ):
            for key in sorted_keys.records.get(kind, ()):
                self._places.setdefault((kind, key), set())
            every = (sorted_keys.indexes, sorted_keys.sorted, sorted_keys.uniques, sorted_keys.beside)
            yield from self._read_places(kind, [name for places in every for name in places.get(kind, ())])
        for kind, key in self._history.own.names:
            if kind in registry.kinds:
                self._places.setdefault((kind, key), set())
            else:
                sorted_keys.unregistered.setdefault(kind, 0)
        yield from self.check(self._places)
        yield from self._check_rivals()
        self._report_strangers(sorted_keys)

    def check(self, names: Iterable[OwnName]) -> Steps[None]:
        """Read records and compare them."""
        by_kind: dict[str, list[str]] = {}
        for kind, key in sorted(names):
            by_kind.setdefault(kind, []).append(key)
        for kind, keys in by_kind.items():
            waiting = {key: self._places.get((kind, key), set[str]()) for key in keys}
            while waiting:
                page = dict(islice(waiting.items(), RECORDS_AT_ONCE))
                found = yield from ask(read_records(self._keys, kind, page))
                yield from self._compare(found)
                for state in found:
                    del waiting[state.key]

    def _read_places(self, kind: str, places: Sequence[str]) -> Steps[None]:
        """Note which records the indexes and unique values of a kind name."""
        begin = 0
        while begin < len(places):
            found = yield from ask(read_places(self._keys, places[begin : begin + PLACES_AT_ONCE]))
            for place, named in zip(places[begin:], found, strict=False):
                members = named if named is not None else (yield from self._read_large(place))
                for member in members:
                    index, key = named_by(place, kind, member)
                    self._places.setdefault((kind, key), set()).add(index)
            begin += len(found)

    def _read_large(self, place: str) -> Steps[set[str]]:
        members: set[str] = set()
        cursor = ""
        while cursor != "0":
            cursor, page = yield from ask(self._calls.members(self._keys, self._keys.base + place, cursor or "0"))
            members.update(page)
        return members

    def _compare(self, found: Sequence[OwnState]) -> Steps[None]:
        yield from self._read_events(found[0].as_of)
        for state in found:
            name = state.kind, state.key
            findings = self._findings_of(state)
            self.findings.pop(name, None)
            self.states.pop(name, None)
            if findings:
                self.findings[name], self.states[name] = findings, state

    def _findings_of(self, state: OwnState) -> list[Finding]:
        report = Report(self._keys.trader)
        compare_deleted(self._keys, state, self._history, report)
        if not state.fields:
            self._compare_gone(state, report)
        elif not state.is_expired:
            self.compared += 1
            self._compare_stay(state)
            fields = OwnFields(self._keys, state, self._history, report)
            is_this = fields.compare()
            registration = fields.registration
            if is_this and registration is not None:
                for field in registration.uniques:
                    if field in state.fields:
                        place = f"{state.kind}_unique_{field}:{state.fields[field]}"
                        self._holders.setdefault((state.kind, place), set()).add(state.key)
                OwnPlaces(self._keys, state, report, self._rivals_of(state)).compare(fields, registration)
        return report.findings

    def _compare_stay(self, state: OwnState) -> None:
        """Report a header that says of a kind that all records stay, where one and its indexes say that it expires.

        Changes do not look into the sets beside the indexes then.
        """
        name, ends = f"stay:{state.kind}", expiry_of(state.expiry, state.scores.values())
        if state.header.get(name) == "1" and ends != NEVER and ends in state.scores.values() and name not in self._told:
            self._told.add(name)
            what = f"{self._keys.book}: {name} is 1, and {state.label} expires at {ends}; put it again, which writes 0"
            says = {"header": "stays", "record": ends}
            self.report.add(FindingKind.RECORD, self._keys.book, name, what, stored="1", expected="0", says=says)

    def _rivals_of(self, state: OwnState) -> Mapping[str, Collection[str]]:
        return {place: keys for (kind, place), keys in self._rivals.items() if kind == state.kind}

    def _compare_gone(self, state: OwnState, report: Report) -> None:
        """Compare what names a record that is not there."""
        known = self._history.known_record(state.kind, state.key, state.as_of)
        last = known and known.last
        is_named = any(float(score) > state.now_ms for score in state.scores.values()) or bool(state.uniques)
        why = "is not there"
        if last is not None and last.type is not EventType.DELETE:
            if not is_named:
                self.gone.add((state.kind, state.key))
            else:
                what = f"{state.label} is not there, and event {last.sequence:,} wrote it; insert it again"
                key = self._keys.own_record(state.kind, state.key)
                says = {"record": None, "indexes": "listed", f"event {last.sequence}": "there"}
                report.add(FindingKind.RECORD, key, None, what, expected="there", says=says)
        elif last is not None:
            why = f"event {last.sequence:,} deleted"
        is_proven = known is not None and (last is None or last.type is EventType.DELETE)
        OwnPlaces(self._keys, state, report, {}).compare_gone(is_proven=is_proven, why=why)

    def _check_rivals(self) -> Steps[None]:
        """Read the records again that had the same unique value: at one moment, no two of them may."""
        for (kind, place), holders in sorted(self._holders.items()):
            if len(holders) < 2:
                continue
            found = yield from ask(read_records(self._keys, kind, dict.fromkeys(sorted(holders), (place,))))
            field = place.partition(":")[0].removeprefix(f"{kind}_unique_")
            value = place.partition(":")[2]
            rivals = frozenset(state.key for state in found if state.fields.get(field) == value)
            if len(rivals) > 1:
                self._rivals[kind, place] = rivals
                yield from self.check((kind, key) for key in rivals)

    def _report_strangers(self, found: OwnKeys) -> None:
        """Report what the header does not know."""
        keys, registry = self._keys, registry_of(self._history.header)
        for name, value in sorted(registry.unreadable.items()):
            what = f"{keys.book}: {name} is {value[:80]!r}, which no book writes; put a record of that kind again"
            self.report.add(FindingKind.CORRUPT, keys.book, name, what, stored=value)
        for kind, number in sorted(found.unregistered.items()):
            what = (
                f"there are {number:,} keys of {kind}, of which the header says nothing, so they were not compared; "
                f"put a {kind} again, which writes it, and verify once more"
            )
            self.report.add(FindingKind.RECORD, keys.own_keys(kind), None, what, says={"header": None})
        for unknown in found.unknown:
            self.report.add(FindingKind.UNCHECKED, unknown, None, f"{unknown} is a key of no known kind")
