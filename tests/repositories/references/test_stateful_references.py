"""Test that any history of changes of records without a trader leaves them as it leaves a dict of dicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from slotbook.models.errors import DuplicateRecord, DuplicateRequest, RecordNotFound, Refused, VersionConflict

from ...support.desk import Desk, on_one_server
from .conftest import Kind, kind_of, remove

KEYS = st.sampled_from(["A", "B:1%"])
FIELDS = st.fixed_dictionaries(
    {}, optional={"note": st.sampled_from([None, "a\nb", '"']), "lots": st.integers(1, 2), "name": st.just("ä")}
)
ALL_CHECKS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
EXPECTED = st.sampled_from([None, None, 0, 1, 2])
Fields = dict[str, object]
DEFAULTS: Fields = {"name": "Nasdaq", "timezone": "UTC", "note": None, "lots": 1}


@dataclass
class Request:
    """A change that was applied once."""

    key: str
    number: int
    send: Callable[[], Any]
    version: int


@dataclass
class Model:
    """The records as a dict of dicts, and what was first inserted as each, and as those that were deleted."""

    held: dict[str, Fields] = field(default_factory=dict[str, Fields])
    versions: dict[str, int] = field(default_factory=dict[str, int])
    first: dict[str, Fields] = field(default_factory=dict[str, Fields])
    deleted: dict[str, list[Fields]] = field(default_factory=dict[str, list[Fields]])

    def conflicts(self, key: str, expected: int | None) -> bool:
        return expected not in (None, self.versions.get(key, 0))

    def store(self, key: str, content: Fields) -> int:
        self.held[key] = content
        self.versions[key] = self.versions.get(key, 0) + 1
        self.first.setdefault(key, content)
        return self.versions[key]

    def drop(self, key: str) -> int:
        del self.held[key]
        self.deleted.setdefault(key, []).append(self.first.pop(key))
        return self.versions.pop(key) + 1


class ReferenceMachine(RuleBasedStateMachine):
    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.kind: Kind = kind_of(desk)
        self.table, self.model, self.requests = self.kind.table, Model(), list[Request]()

    def attempt(self, send: Callable[[], Any], refused: type[Refused] | None) -> Any:
        """Make a change, which is refused as the model says."""
        result, found = None, None
        try:
            result = send()
        except Refused as error:
            found = type(error)
        assert found is refused
        return result

    @rule(key=KEYS, fields=FIELDS)
    def insert(self, key: str, fields: Fields) -> None:
        model, content = self.model, {**DEFAULTS, **fields}
        known = model.first.get(key) == content or content in model.deleted.get(key, [])
        refused = DuplicateRecord if not known and key in model.held else None
        result = self.attempt(lambda: self.table.insert(self.kind.make(key, **fields)), refused)
        if result is not None:
            assert result.applied is not known
            assert result.version == 1
        if result is not None and not known:
            model.store(key, content)

    @rule(key=KEYS, fields=FIELDS, expected=EXPECTED)
    def put(self, key: str, fields: Fields, expected: int | None) -> None:
        if self.changed(key, "put", (self.kind.make(key, **fields),), expected):
            self.stored(self.model.store(key, {**DEFAULTS, **fields}))

    @rule(key=KEYS, fields=FIELDS, expected=EXPECTED)
    def update(self, key: str, fields: Fields, expected: int | None) -> None:
        changes, held = fields or {"lots": 2}, self.model.held
        absent = None if key in held else RecordNotFound
        if self.changed(key, "update", (key, changes), expected, absent):
            self.stored(self.model.store(key, {**held[key], **changes}))

    @rule(key=KEYS, expected=EXPECTED)
    def delete(self, key: str, expected: int | None) -> None:
        there = key in self.model.held
        if self.changed(key, "delete", (key,), expected if there else None):
            self.stored(self.model.drop(key) if there else 0)

    def changed(
        self, key: str, verb: str, given: tuple[object, ...], expected: int | None, refused: type[Refused] | None = None
    ) -> bool:
        """Make a change, and return whether it was not refused; its request is remembered."""
        number = len(self.requests)
        if refused is None and self.model.conflicts(key, expected):
            refused = VersionConflict
        send = partial(getattr(self.table, verb), *given, expected_version=expected, request_id=f"Q{number}")
        result = self.attempt(send, refused)
        if result is not None:
            self.requests.append(Request(key, number, send, result.version))
        return result is not None

    def stored(self, version: int) -> None:
        assert self.requests[-1].version == version

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """Send any change once more, however long ago: it changes nothing, and has its first version."""
        request = data.draw(st.sampled_from(self.requests))
        before = self.kind.contents()
        again = request.send()
        assert (again.applied, again.version) == (False, request.version)
        assert again.record == self.table.get(request.key)
        self.attempt(
            lambda: self.table.update(request.key, {"name": "other"}, request_id=f"Q{request.number}"), DuplicateRequest
        )
        assert self.kind.contents() == before

    @invariant()
    def the_records_are_as_the_model(self) -> None:
        held = self.model.held
        found = self.table.all()
        assert [one.mic for one in found] == sorted(held)
        assert self.table.count() == len(held)
        for one in found:
            assert {name: getattr(one, name) for name in DEFAULTS} == held[one.mic]
            assert one.version == self.model.versions[one.mic]

    def teardown(self) -> None:
        remove(self.kind)


@on_one_server
def test_records_are_a_dict_of_dicts(desk: Desk) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: ReferenceMachine(desk)),
        settings=settings(max_examples=40, stateful_step_count=15, suppress_health_check=ALL_CHECKS),
    )
