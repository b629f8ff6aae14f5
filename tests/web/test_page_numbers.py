"""The arithmetic of the page: exact, as Python's with decimals."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page
from slotbook.models import Position
from slotbook.models.numbers import EXACT, plain

from ..support.browser import Sight, blotter
from ..support.fleet import Fleets
from ..support.make import fresh

NUMBERS = st.decimals(-(10**17), 10**17, places=18) | st.decimals(-100, 100, places=2) | st.integers(-9, 9).map(Decimal)


@pytest.fixture(scope="module")
def page(browser: Browser, fleets: Fleets) -> Iterator[Page]:
    url = fleets.of("standalone").url({"prefix": fresh("web") + ":"})
    with blotter(url) as running:
        yield Sight(browser, running.link).page


def asked(page: Page, call: str, *arguments: object) -> object:
    return page.evaluate(
        "async ([call, words]) => (await import('/page/decimal.js'))[call](...words)", [call, list(arguments)]
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NUMBERS, NUMBERS)
def test_numbers(page: Page, one: Decimal, other: Decimal) -> None:
    a, b = plain(one), plain(other)
    assert asked(page, "add", a, b) == plain(EXACT.add(one, other))
    assert asked(page, "subtract", a, b) == plain(EXACT.subtract(one, other))
    assert asked(page, "multiply", a, b) == plain(EXACT.multiply(one, other))
    assert asked(page, "compare", a, b) == (one > other) - (one < other)
    assert str(asked(page, "grouped", a)).replace("\u2009", "") == a


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from([None, "50", "0.01"]), st.decimals(-999, 999, places=18))
def test_a_profit(
    page: Page, quantity: Decimal, cost: Decimal, realized: Decimal, multiplier: str | None, mark: Decimal
) -> None:
    held = Position(
        trader="T1",
        symbol="A",
        quantity=quantity,
        open_cost=cost if quantity else Decimal(0),
        realized_profit=realized,
        multiplier=multiplier,  # type: ignore[arg-type]
    )
    row = {
        "quantity": plain(held.quantity),
        "cost": plain(held.open_cost),
        "realized": plain(held.realized_profit),
        "multiplier": multiplier or "1",
    }
    assert asked(page, "profit", row, plain(mark)) == plain(held.profit(plain(mark)))
    assert asked(page, "profit", row, None) == (None if quantity else plain(realized))


@pytest.mark.parametrize(
    ("text", "shown"), [("1234567.891", "1 234 567.891"), ("-1000", "-1 000"), ("999", "999"), ("0.123456", "0.123456")]
)
def test_groups_of_digits(page: Page, text: str, shown: str) -> None:
    assert asked(page, "grouped", text) == shown.replace(" ", "\u2009")


@pytest.mark.parametrize("text", ["", "1e5", "0x1", "1.", ".5", "1,5", " 1", "NaN", "Infinity", "--1"])
def test_what_is_no_number(page: Page, text: str) -> None:
    assert asked(page, "isDecimal", text) is False


def test_the_page_keeps_no_more_rows_than_it_is_told(page: Page) -> None:
    kept = page.evaluate(
        """async () => {
          const { Store } = await import("/page/store.js");
          const store = new Store();
          const rest = { positions: [], events: [], marks: [], problems: [] };
          const kept = { orders: 3, positions: 3, events: 3, marks: 3, problems: 3 };
          const take = (begins, keys) => store.take({ begins, kept, orders: keys.map((key) => ({ key })), ...rest });
          take(true, ["A", "B", "C", "D"]);
          take(false, ["B", "E"]);
          store.take({ begins: false, kept, orders: [{ key: "D", gone: true }], ...rest });
          const before = store.latest("orders").map((row) => row.key);
          take(true, ["F"]);
          return [before, store.latest("orders").map((row) => row.key)];
        }"""
    )
    assert kept == [["E", "B"], ["F"]]


def test_a_time_keeps_its_nanoseconds(page: Page) -> None:
    call = "async ([call, text]) => (await import('/page/times.js'))[call](text)"
    text = "1703422805243925307"
    assert page.evaluate(call, ["whole", text]) == "2023-12-24T13:00:05.243925307Z"
    assert page.evaluate(call, ["clock", text]) == "13:00:05.243"
    assert page.evaluate(call, ["clock", None]) == ""
