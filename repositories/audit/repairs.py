"""Repair one trader's book, one thing after the other, each compared anew. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...topology.steps import Steps, ask
from .calls import AuditCalls
from .findings import Fields, Finding, FindingKind, Repair, RepairOutcome
from .own_steps import OwnName
from .repair_calls import (
    repair_alias,
    repair_entry,
    repair_expiry,
    repair_lifetime,
    repair_listing,
    repair_order,
    repair_own,
    repair_position,
)
from .steps import TRIES, Audit


class _Unit(NamedTuple):
    """One thing that is repaired at a time."""

    kind: FindingKind
    """ORDER or RECORD with all that belongs to it, POSITION with its listing, ALIAS of no order, or EXPIRY of any other
    key."""
    subject: str
    """The order's id, the own record's key, the position's symbol, or the key."""
    own: OwnName | None = None
    """The own record, of a RECORD."""
    of_account: bool = False
    """True for an account's position, whose subject is the name that lists it."""


class Repairs:
    """The repair of one trader's book; use each once. Takes what an :class:`Audit` takes."""

    def __init__(self, calls: AuditCalls, trader: str, found: Iterable[str] = ()) -> None:
        self._keys = calls.keys.of(trader)
        self._audit = Audit(calls, trader, found)
        self._names: dict[Finding, OwnName] = {}
        """The own record that each finding is about."""

    def repair(self) -> Steps[list[Repair]]:
        """Compare everything, then repair what can be."""
        findings = yield from self._audit.verify()
        self._names = {one: name for name, found in self._audit.own.findings.items() for one in found}
        outcomes: dict[_Unit, RepairOutcome] = {}
        repairs: list[Repair] = []
        for finding in findings:
            outcome = RepairOutcome.LEFT
            if finding.repairable:
                unit = self._unit_of(finding)
                if unit not in outcomes:
                    outcomes[unit] = yield from self._repair(unit, finding)
                outcome = outcomes[unit]
                if outcome.is_settled and self._is_left(unit, finding):
                    outcome = RepairOutcome.LEFT
            repairs.append(Repair(finding, outcome))
        return repairs

    def _unit_of(self, finding: Finding) -> _Unit:  # noqa: PLR0911 (a table)
        keys, key = self._keys, finding.key
        if (own := self._names.get(finding)) is not None:
            return _Unit(FindingKind.RECORD, keys.own_record(*own), own)
        match finding.kind:
            case FindingKind.LISTING:
                is_account = key == keys.account_positions
                return _Unit(FindingKind.POSITION, finding.entry or "", of_account=is_account)
            case FindingKind.POSITION if key.startswith(of_accounts := f"{keys.base}account_position:"):
                return _Unit(FindingKind.POSITION, key.removeprefix(of_accounts), of_account=True)
            case FindingKind.POSITION:
                return _Unit(FindingKind.POSITION, key.removeprefix(keys.position("")))
            case FindingKind.INDEX:
                return _Unit(FindingKind.ORDER, finding.entry or "")
            case FindingKind.ALIAS if finding.entry is None:
                return _Unit(FindingKind.ALIAS, key.removeprefix(keys.alias("")))
            case FindingKind.ALIAS | FindingKind.EXPIRY if key.startswith(keys.alias("")):
                return _Unit(FindingKind.ORDER, finding.entry or "")
            case _:
                for base in (keys.order(""), keys.applied("")):
                    if key.startswith(base):
                        return _Unit(FindingKind.ORDER, key.removeprefix(base))
                return _Unit(FindingKind.EXPIRY, key)

    def _is_left(self, unit: _Unit, finding: Finding) -> bool:
        """Return True when a difference was found again when its subject was compared for the last time."""
        if unit.own is not None:
            found = self._audit.own.findings.get(unit.own, [])
        elif unit.of_account:
            found = self._audit.accounts.findings.get(unit.subject, [])
        else:
            compared = {
                FindingKind.ORDER: self._audit.orders,
                FindingKind.POSITION: self._audit.positions,
                FindingKind.ALIAS: self._audit.aliases,
            }
            found = compared.get(unit.kind, {}).get(unit.subject, [])
        return any((one.key, one.entry) == (finding.key, finding.entry) for one in found)

    def _repair(self, unit: _Unit, finding: Finding) -> Steps[RepairOutcome]:
        if unit.kind is FindingKind.EXPIRY:
            own, index = self._audit.own, unit.subject
            is_index = index.startswith(f"{self._keys.base}orders_by_") or index in own.indexes or index in own.beside
            renew = repair_expiry(index, *own.sets_of(index)) if is_index else repair_lifetime(finding)
            renewed = yield from ask(renew)
            return RepairOutcome.REPAIRED if renewed else RepairOutcome.IN_ORDER
        written = False
        for _ in range(TRIES):
            if unit.own is not None:
                applied = yield from self._repair_own(unit.own)
            elif unit.kind is FindingKind.ORDER:
                applied = yield from self._repair_order(unit.subject)
            elif unit.kind is FindingKind.ALIAS:
                applied = yield from self._repair_alias(unit.subject)
            else:
                applied = yield from self._repair_position(unit)
            if applied is None:
                return RepairOutcome.REPAIRED if written else RepairOutcome.IN_ORDER
            written |= applied
        return RepairOutcome.CHANGING

    def _repair_order(self, order_id: str) -> Steps[bool | None]:
        """Compare an order anew and repair it with its entries; None when there was nothing to repair."""
        yield from self._audit.check_orders((order_id,))
        findings = [finding for finding in self._audit.orders[order_id] if finding.repairable]
        if not findings:
            return None
        changes = {one.entry: one.expected or "" for one in findings if self._is_of_order(one) and one.entry}
        if changes:
            return (yield from self._write_order(order_id, changes))
        # When the order expires is written before its entries, which follow it.
        applied = False
        for finding in sorted(findings, key=lambda one: one.kind is FindingKind.INDEX):
            if finding.kind is FindingKind.ALIAS:
                call = repair_alias(self._keys, finding)
            else:
                is_entry = finding.kind is FindingKind.INDEX
                call = repair_entry(self._keys, finding) if is_entry else repair_lifetime(finding)
            applied |= yield from ask(call)
        return applied

    def _repair_alias(self, name: str) -> Steps[bool | None]:
        """Compare an id that no order has recorded anew and remove it; None when there was nothing to remove."""
        yield from self._audit.check_aliases([name])
        findings = [finding for finding in self._audit.aliases[name] if finding.repairable]
        return (yield from ask(repair_alias(self._keys, findings[0]))) if findings else None

    def _repair_own(self, own: OwnName) -> Steps[bool | None]:
        """Compare an own record anew and repair what names it; None when there was nothing to repair."""
        yield from self._audit.own.check((own,))
        findings = [finding for finding in self._audit.own.findings.get(own, ()) if finding.repairable]
        if not findings:
            return None
        applied = False
        for finding in findings:
            is_lifetime = finding.kind is FindingKind.EXPIRY
            state = self._audit.own.states[own]
            applied |= yield from ask(
                repair_lifetime(finding) if is_lifetime else repair_own(self._keys, state, finding)
            )
        return applied

    def _is_of_order(self, finding: Finding) -> bool:
        return finding.kind in (FindingKind.ORDER, FindingKind.CORRUPT)

    def _write_order(self, order_id: str, changes: Fields) -> Steps[bool]:
        state = self._audit.order_states[order_id]
        return (yield from ask(repair_order(self._keys, order_id, state.fields, changes)))

    def _repair_position(self, unit: _Unit) -> Steps[bool | None]:
        """Compare a position anew and repair it; None when there was nothing to repair."""
        name, audit = unit.subject, self._audit
        yield from audit.read_last_order(name, name if unit.of_account else "")
        if unit.of_account:
            (check,) = yield from audit.accounts.check([name])
        else:
            (check,) = yield from audit.check_positions([name])
        compared = audit.accounts.findings if unit.of_account else audit.positions
        findings: Sequence[Finding] = [one for one in compared[name] if one.repairable]
        if not findings:
            return None
        if any(finding.kind is FindingKind.POSITION for finding in findings):
            return (yield from ask(repair_position(self._keys, check.state, check.changes())))
        listed = findings[0].expected is not None
        return (yield from ask(repair_listing(self._keys, check.state, listed=listed)))
