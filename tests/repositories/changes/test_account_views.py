"""An event that changes positions of accounts is read as one of each, and says nothing of the others."""

from __future__ import annotations

import pytest
from slotbook.models.errors import CorruptRecord
from slotbook.repositories.changes.account_views import account_views, view_of

COMMON = {"type": "POSITION", "symbol": "AAPL", "position_change": "5"}
WHOLE = {"position_quantity": "7", "position_cost": "9", "position_cost_change": "2", "cost_basis": "approximate"}
OF_ONE = {**COMMON, **WHOLE, "totals": "1 0", "account": "a", "account_quantity": "5", "account_totals": "2 0"}
SAID = '"position_quantity":"5","position_change":"5"'


def test_an_event_of_an_account_is_read_as_that_of_its_position() -> None:
    alone = {**COMMON, "position_quantity": "5", "totals": "2 0"}
    assert dict(account_views("e", OF_ONE)) == {"a": alone}
    more = {"account_cost": "3", "account_cost_basis": "approximate"}
    seen = {**alone, "position_cost": "3", "cost_basis": "approximate"}
    assert dict(account_views("e", {**OF_ONE, **more})) == {"a": seen}
    assert view_of("e", OF_ONE, "a") == alone
    assert view_of("e", OF_ONE, "b") == COMMON  # whose position it has not changed
    assert view_of("e", {}, "a") == {}


def test_an_event_of_all_accounts_has_what_it_says_of_each() -> None:
    rolled = {**COMMON, **WHOLE, "totals": "1 0", "period": "the trader's"}
    written = f'{{"a":{{{SAID},"totals":"1"}},"b":{{{SAID},"totals":"2","period":"its own"}}}}'
    of_each = {**COMMON, "position_quantity": "5"}
    assert dict(account_views("e", {**rolled, "accounts": written})) == {
        "a": {**of_each, "totals": "1"},
        "b": {**of_each, "totals": "2", "period": "its own"},
    }


@pytest.mark.parametrize(
    "written",
    [
        *("", "x", "[]", "5", "[" * 99_999, '{"a":5}', '{"a":{}}', f'{{"a":{{{SAID}}}}}'),
        f'{{"a":{{{SAID},"totals":1}}}}',
        f'{{"a":{{{SAID},"totals":"1","position_cost":"5"}}}}',
        f'{{"a":{{{SAID},"totals":"1"}},"b":{{"position_quantity":"5","totals":"1"}}}}',
    ],
    ids=lambda one: one[:40],
)
def test_what_does_not_say_it_is_named(written: str) -> None:
    with pytest.raises(CorruptRecord, match="accounts"):
        dict(account_views("e", {**COMMON, "accounts": written}))


@pytest.mark.parametrize("name", ["account_quantity", "account_totals"])
def test_an_account_without_its_position_is_named(name: str) -> None:
    with pytest.raises(CorruptRecord, match="account_totals"):
        dict(account_views("e", {one: value for one, value in OF_ONE.items() if one != name}))
