"""Compare the indexes and unique values that name one own record with its values. Nothing here does I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from ...models.keys import TraderKeys
from ...models.ordering import order_text
from .findings import FindingKind, Report
from .lifetimes import NEVER, expiry_of
from .own_fields import OwnFields
from .own_registry import Registration
from .own_states import OwnState, UniqueState, entry_of, field_of

_ENOUGH = 3
"""The number of other records that have to expire at one time, so that another is corrected."""


class OwnPlaces:
    """The places of one own record.

    A record decides in which indexes it is, which unique values it has, and when they expire. A place is repaired where
    the record's events say the same of its value, or no other place of that field speaks against it.

    Args:
        keys: The keys of the trader.
        state: The record, and everything that names it.
        report: The findings about it.
        rivals: By unique value, the records that have it, where there are several.
    """

    def __init__(
        self, keys: TraderKeys, state: OwnState, report: Report, rivals: Mapping[str, Collection[str]]
    ) -> None:
        self._keys = keys
        self._state = state
        self._report = report
        self._rivals = rivals
        self._expiry = expiry_of(state.expiry, state.scores.values())
        self._is_expiry_right = True
        self._agreeing = 0
        """The places that expire when the record does."""

    def compare(self, fields: OwnFields, registration: Registration) -> None:
        """Compare the places of a record that can be read."""
        state = self._state
        belongs = {f"{state.kind}_keys": ""} | self._named("by", registration.indexes)
        belongs |= self._sorted(registration.sorted)
        uniques = self._named("unique", registration.uniques)
        self._compare_expiry([*belongs], [*uniques])
        for index in sorted(belongs.keys() | state.scores.keys()):
            field = field_of(index, state.kind)
            if field in fields.disputed:
                continue
            others = {one for one in state.scores if field_of(one, state.kind) == field and one not in belongs}
            is_listed = any(one in state.scores for one in belongs if field_of(one, state.kind) == field)
            if index in belongs:
                self._compare_entry(index, is_proven=fields.is_proven(field) or not others)
            else:  # of another schema's index the header alone says that the record should not be in it
                is_of_schema = not field or field in registration.indexes or field in registration.sorted
                self._compare_stray(index, is_proven=is_of_schema and (fields.is_proven(field) or is_listed))
        for place in sorted(uniques.keys() | state.uniques.keys()):
            field = field_of(place, state.kind)
            if field not in fields.disputed:
                is_of_schema = field in registration.uniques
                proven = fields.is_proven(field)
                self._compare_unique(place, belongs=place in uniques, is_proven=proven, is_of_schema=is_of_schema)

    def compare_gone(self, *, is_proven: bool, why: str) -> None:
        """Compare the places that name a record that is not there.

        Args:
            is_proven: True when nothing says that it should be there.
            why: What is said of it, for messages.
        """
        state = self._state
        for index in sorted(state.scores):
            self._compare_stray(index, is_proven=is_proven, why=why)
        for place, unique in sorted(state.uniques.items()):
            if unique.owner == state.key:
                what = f"{place} is that of {state.label}, which {why}"
                self._add_unique(place, what, state.key, None, repairable=is_proven)

    def _named(self, part: str, names: Collection[str]) -> dict[str, str]:
        """Return the places in which the record belongs by its values, each with its field."""
        values, kind = self._state.fields, self._state.kind
        return {f"{kind}_{part}_{name}:{values[name]}": name for name in names if name in values}

    def _sorted(self, forms: Mapping[str, str]) -> dict[str, str]:
        """Return the sorted indexes in which the record belongs by its values, each with its field."""
        values, kind = self._state.fields, self._state.kind
        texts = {name: order_text(form, values[name]) for name, form in forms.items() if name in values}
        return {f"{kind}_sorted_{name}:{text}": name for name, text in texts.items() if text is not None}

    def _compare_expiry(self, indexes: Collection[str], uniques: Collection[str]) -> None:
        """Compare when the record expires with what all its places say together."""
        state = self._state
        found = [state.scores[one] for one in indexes if one in state.scores]
        found += [self._expiry_of(state.uniques[one]) for one in uniques if self._is_own(one)]
        self._agreeing = found.count(self._expiry)
        if not found:
            return
        (said, number), *others = Counter(found).most_common()
        if others or said == self._expiry or number < 2:
            return
        self._is_expiry_right = False
        what = f"{state.label} expires at {self._expiry}, and all that names it at {said}"
        may_be = number >= _ENOUGH and (said == NEVER or float(said) > state.now_ms)
        self._report.add(
            FindingKind.EXPIRY,
            self._keys.own_record(state.kind, state.key),
            None,
            what,
            stored=self._expiry,
            expected=said,
            repairable=may_be,
            says={"record": self._expiry, "indexes": said},
        )

    def _expiry_of(self, unique: UniqueState) -> str:
        return expiry_of(unique.expiry, (self._expiry, *self._state.scores.values()))

    def _is_own(self, place: str) -> bool:
        return place in self._state.uniques and self._state.uniques[place].owner == self._state.key

    def _compare_entry(self, index: str, *, is_proven: bool) -> None:
        """Compare the entry of an index in which the record belongs."""
        state = self._state
        stored = state.scores.get(index)
        if stored == self._expiry or (stored is not None and not self._is_expiry_right):
            return
        if stored is None:
            what = f"{index} does not list {state.label}"
        else:
            what = f"{index} lists {state.label} until {stored}, and the record says {self._expiry}"
        says = {"index": stored, "record": self._expiry}
        repairable = self._is_expiry_right and (is_proven if stored is None else self._agreeing > 0)
        self._add_entry(index, what, stored, self._expiry, says, repairable=repairable)

    def _compare_stray(self, index: str, *, is_proven: bool, why: str = "is not in it") -> None:
        """Report an entry of an index in which the record does not belong, unless it has expired."""
        state, stored = self._state, self._state.scores[index]
        if float(stored) <= state.now_ms:
            return  # it is ignored, and is removed when the index is next written
        what = f"{index} lists {state.label}, which {why}"
        says = {"index": "listed", "record": state.fields.get(field_of(index, state.kind))}
        self._add_entry(index, what, stored, None, says, repairable=is_proven)

    def _compare_unique(self, place: str, *, belongs: bool, is_proven: bool, is_of_schema: bool) -> None:
        """Compare a unique value with the record that has it, or that it names."""
        state, unique = self._state, self._state.uniques.get(place)
        field = field_of(place, state.kind)
        is_free = unique is None or unique.owner_has != state.fields.get(field)
        named = set(self._rivals.get(place, ()))
        if unique is not None and not is_free:
            named.add(unique.owner)
        rivals = sorted(named - {state.key})
        if belongs and rivals:
            names = ", ".join(rivals[:3])
            what = f"{place} is a value of {state.label} and of {names}; give all but one of them another"
            self._add_unique(place, what, unique and unique.owner, None, repairable=False)
        elif belongs and (unique is None or unique.owner != state.key):
            has = "nobody has" if unique is None else f"{unique.owner} has"
            what = f"{place} is a value of {state.label}, and {has} it"
            is_clear = is_proven or not any(
                self._is_own(one) for one in state.uniques if one != place and field_of(one, state.kind) == field
            )
            repairable = is_clear and self._is_expiry_right
            self._add_unique(place, what, unique and unique.owner, state.key, repairable=repairable)
        elif belongs and unique is not None and self._expiry_of(unique) != self._expiry and self._is_expiry_right:
            ends = self._expiry_of(unique)
            what = f"{place} of {state.label} expires at {ends}, and the record at {self._expiry}"
            self._add_unique(place, what, state.key, state.key, repairable=self._agreeing > 0)
        elif not belongs and unique is not None and unique.owner == state.key:
            value = state.fields.get(field)
            what = f"{place} is that of {state.label}, whose {field} is {value}"
            is_held = value is not None and self._is_own(f"{state.kind}_unique_{field}:{value}")
            self._add_unique(place, what, state.key, None, repairable=is_of_schema and (is_proven or is_held))

    def _add_entry(
        self,
        index: str,
        what: str,
        stored: str | None,
        expected: str | None,
        says: Mapping[str, str | None],
        *,
        repairable: bool,
    ) -> None:
        name, member = entry_of(index, self._state.kind, self._state.key)
        self._report.add(
            FindingKind.INDEX,
            self._keys.base + name,
            member,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
            says=says,
        )

    def _add_unique(self, place: str, what: str, stored: str | None, expected: str | None, *, repairable: bool) -> None:
        says = {"key": stored, "record": self._state.fields.get(field_of(place, self._state.kind))}
        self._report.add(
            FindingKind.UNIQUE,
            self._keys.base + place,
            self._state.key,
            what,
            stored=stored,
            expected=expected,
            repairable=repairable,
            says=says,
        )
