"""The page of ``slotbook web`` in a browser: its rows are live, it is used by keyboard, and it shows texts as texts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
import slotbook
from playwright.sync_api import Browser
from slotbook import Book
from slotbook.models import Order

from ..support.browser import Blotter, Sight, blotter
from ..support.make import TS, execution, limit

MINUTE = 60 * 10**9
EVIL = "<script>window.evil=1</script>"


@pytest.fixture
def book(url: str) -> Iterator[Book]:
    """Yield a book in which T001 holds 40 AAPL, and T002 is short of 40 MSFT."""
    with slotbook.connect(url) as opened:
        opened.orders.place(limit("T001", "A1", ts_ns=TS))
        opened.orders.fill(execution("T001"))
        opened.orders.place(limit("T002", "B1", symbol="MSFT", side="SELL", ts_ns=TS + 1))
        opened.orders.fill(execution("T002", "X2", order_id="B1", price="400.5"))
        yield opened


@pytest.fixture
def running(url: str, book: Book) -> Iterator[Blotter]:
    with blotter(url) as started:
        yield started


@pytest.fixture
def sight(browser: Browser, running: Blotter) -> Iterator[Sight]:
    """Yield the page; in the end the browser has complained of nothing, and asked nobody else."""
    seen = Sight(browser, running.link)
    yield seen
    assert seen.said == []
    assert {urlsplit(asked).netloc for asked in seen.asked} == {f"127.0.0.1:{running.port}"}
    seen.page.close()


def test_rows_appear_as_they_change(sight: Sight, book: Book) -> None:
    sight.wait_for("positions", "symbol", "MSFT")
    assert sight.cells("positions", "symbol") == ["AAPL", "MSFT"]
    assert sight.cells("positions", "position") == ["40", "-40"]
    assert sight.cells("orders", "order") == ["B1", "A1"]
    assert "token" not in sight.page.url
    book.orders.place(limit("T003", "C1", symbol="NVDA", quantity=7))
    sight.wait_for("orders", "order", "C1")
    book.orders.fill(execution("T003", "X3", 7, "131.25", order_id="C1"))
    sight.wait_for("positions", "position", "7")
    sight.wait_for("orders", "status", "filled")
    assert sight.cells("events", "change")[:2] == ["trade", "new"]
    assert sight.cells("positions", "symbol") == ["AAPL", "MSFT", "NVDA"]
    book.orders.cancel("T001", "A1")
    sight.wait_for("orders", "status", "canceled")
    assert sorted(sight.cells("orders", "order")) == ["A1", "B1", "C1"]
    assert sight.page.inner_text("#events-count") == "3"


def test_a_profit_is_exact_at_the_last_fill_and_at_a_mark_that_is_typed(sight: Sight, book: Book) -> None:
    book.orders.fill(execution("T001", "X9", 20, "190.1"))
    sight.wait_for("positions", "position", "60")
    held = book.positions.get("T001", "AAPL")
    assert sight.cells("positions", "profit at mark")[0] == str(held.profit("190.1").normalize()) == "115.2"
    mark = sight.page.get_by_label("Mark of AAPL")
    assert mark.get_attribute("placeholder") == "190.1"
    for typed in ("0.1", "-37.000000000000000001", "200"):
        mark.fill(typed)
        expected = held.profit(typed)
        sight.page.wait_for_timeout(300)
        shown = sight.cells("positions", "profit at mark")[0].replace("\u2009", "")
        assert Decimal(shown) == expected, typed
    mark.fill("2oo")
    sight.wait_for("positions", "profit at mark", "no mark")
    assert mark.get_attribute("aria-invalid") == "true"
    sight.page.reload()
    sight.wait_for("positions", "profit at mark", "no mark")
    assert sight.page.get_by_label("Mark of AAPL").input_value() == "2oo"
    sight.page.get_by_label("Mark of AAPL").fill("")
    sight.wait_for("positions", "profit at mark", "115.2")


def test_the_parts_of_accounts_are_below_their_position(sight: Sight, book: Book) -> None:
    sight.wait_for("positions", "symbol", "MSFT")
    assert sight.page.locator("#positions th:has-text('account')").is_hidden()
    for name, account in (("N1", "ACC2"), ("N2", "ACC1"), ("N3", "ACC2")):
        book.orders.place(limit("T001", name, symbol="NVDA", account=account))
        book.orders.fill(execution("T001", f"E{name}", 10, f"13{name[1]}", name, TS + int(name[1]) * MINUTE))
    sight.wait_for("positions", "position", "30")
    sight.until(lambda: sight.cells("positions", "position")[2:] == ["30", "10", "20"], "the parts were read")
    assert sight.cells("positions", "account") == ["", "", "", "ACC1", "ACC2"]
    assert sight.cells("positions", "profit at mark")[2:] == ["30", "10", "20"]
    assert sight.cells("events", "account")[0] == "ACC2"
    sight.page.get_by_role("button", name="NVDA", exact=True).nth(2).click()
    sight.page.wait_for_selector("#chart svg path.profit")
    assert sight.page.inner_text("#day-title") == "NVDA of T001 for ACC2, its day"
    assert sight.page.inner_text("#day-point") == "22:16:20.000: position 20, realized 0, profit 20"
    assert "2 changes" in sight.page.inner_text("#day-summary")
    assert "profit at the mark 20" in sight.page.inner_text("#day-summary")
    book.positions.split("T001", "NVDA", 2, ts_ns=TS + 9 * MINUTE)
    sight.until(lambda: sight.cells("positions", "position")[2:] == ["60", "20", "40"], "all were split")
    sight.until(lambda: "3 changes" in sight.page.inner_text("#day-summary"), "the day was read again")
    sight.page.get_by_label("Filter").first.fill("acc1")
    sight.until(lambda: sight.cells("positions", "account") == ["ACC1"], "one part is left")


def test_filter_and_sort_by_keyboard(sight: Sight, book: Book) -> None:
    for number, quantity in enumerate((9, 100, 20)):
        book.orders.place(limit("T001", f"Q{number}", symbol="QQQ", quantity=quantity))
    sight.wait_for("orders", "order", "Q2")
    keyboard = sight.page.keyboard
    keyboard.press("/")
    keyboard.type("qqq t001")
    sight.until(lambda: sight.rows("orders") == 3, "three orders are left")
    assert sight.rows("positions") == 0
    sight.page.get_by_role("region", name="Orders").get_by_role("button", name="quantity").focus()
    heading = "#orders th:has-text('quantity')"
    for expected, direction in ((["9", "20", "100"], "ascending"), (["100", "20", "9"], "descending")):
        keyboard.press("Enter")
        assert sight.cells("orders", "quantity") == expected
        assert sight.page.get_attribute(heading, "aria-sort") == direction
    keyboard.press("Enter")
    assert sight.page.get_attribute(heading, "aria-sort") == "none"
    assert sight.cells("orders", "order") == ["Q2", "Q1", "Q0"]
    book.orders.cancel("T001", "Q1")
    sight.wait_for("orders", "status", "canceled")
    assert sight.page.evaluate("document.activeElement.textContent") == "quantity"
    sight.page.get_by_label("only open orders").check()
    assert sight.cells("orders", "order") == ["Q2", "Q0"]


def test_what_is_typed_stays_while_rows_move(sight: Sight, book: Book) -> None:
    sight.page.get_by_role("region", name="Positions").get_by_role("button", name="trader").click()
    mark = sight.page.get_by_label("Mark of MSFT")
    mark.press_sequentially("40")
    book.orders.place(limit("A000", "N1"))
    book.orders.fill(execution("A000", "N1", order_id="N1"))
    sight.wait_for("positions", "trader", "A000")
    sight.page.keyboard.type("1.5")
    assert mark.input_value() == "401.5"


def test_the_day_of_a_position_is_drawn_and_read_by_keyboard(sight: Sight, book: Book) -> None:
    book.orders.fill(execution("T001", "X9", 20, "190.1", ts_ns=TS + 60 * 10**9))
    sight.wait_for("positions", "position", "60")
    sight.page.get_by_role("button", name="AAPL", exact=True).focus()
    sight.page.keyboard.press("Enter")
    sight.page.wait_for_selector("#chart svg path.profit")
    assert sight.page.inner_text("#day-title") == "AAPL of T001, its day"
    assert sight.page.inner_text("#day-point") == "22:14:20.000: position 60, realized 0, profit 115.2"
    sight.page.locator("#chart svg").focus()
    sight.page.keyboard.press("ArrowLeft")
    assert sight.page.inner_text("#day-point") == "22:13:20.000: position 40, realized 0, profit 0"
    assert "2 changes (2023-11-14, UTC)" in sight.page.inner_text("#day-summary")
    path = sight.page.get_attribute("#chart path.quantity", "d") or ""
    assert path.count("V") == 1
    book.orders.fill(execution("T001", "X10", 10, "191", ts_ns=TS + 70 * 10**9))
    sight.until(lambda: (sight.page.get_attribute("#chart path.quantity", "d") or "").count("V") == 2, "a new step")
    sight.page.get_by_role("button", name="Close").click()
    assert sight.page.is_hidden("#day")


def test_texts_of_others_are_texts(sight: Sight, book: Book) -> None:
    for number, text in enumerate(
        (EVIL, "<img src=x onerror=window.evil=1>", "javascript:window.evil=1", "\u202eflip")
    ):
        book.orders.place(Order.model_validate({**dict(limit("<b>T", f"{EVIL}{number}", symbol="<i>S")), "text": text}))
        book.orders.fill(execution("<b>T", f"X{number}", order_id=f"{EVIL}{number}"))
        book.orders.cancel("<b>T", f"{EVIL}{number}", text=text)
    sight.wait_for("events", "order", f"{EVIL}3")
    sight.wait_for("positions", "symbol", "<i>S")
    sight.page.get_by_role("button", name="<i>S").click()
    sight.page.wait_for_selector("#chart svg")
    assert sight.page.inner_text("#day-title") == "<i>S of <b>T, its day"
    assert EVIL in sight.cells("orders", "text")
    assert "\\u202eflip" in sight.cells("orders", "text")
    assert sight.page.evaluate("window.evil") is None
    assert sight.page.locator("main script, main img, main b, main i").count() == 0
    refused = sight.page.evaluate("try { document.body.innerHTML = '<p>'; 'set' } catch (error) { error.name }")
    assert refused == "TypeError"
    sight.said.clear()  # the browser has said that it refused


def test_a_table_draws_so_many_rows_and_says_how_many_more(sight: Sight, book: Book) -> None:
    for outcome in book.orders.place_many([limit("T009", f"M{number}", symbol="MANY") for number in range(230)]):
        outcome.result()
    more = sight.page.locator("#orders .more")
    sight.until(lambda: more.inner_text() == "32 more rows; filter to see them.", "232 orders")
    assert sight.rows("orders") == 200
    sight.page.get_by_label("Filter").fill("MANY M22")
    sight.until(lambda: sight.rows("orders") == 11, "the filtered ones are left")
    assert more.inner_text() == ""


def test_a_trader_is_chosen_and_in_the_url(sight: Sight) -> None:
    sight.wait_for("positions", "trader", "T002")
    sight.page.get_by_label("Trader").select_option("T002")
    sight.until(lambda: sight.rows("positions") == 1, "one position is left")
    assert sight.page.url.endswith("/?trader=T002")
    sight.page.reload()
    sight.wait_for("positions", "trader", "T002")
    assert set(sight.cells("events", "trader")) == {"T002"}
    assert sight.page.get_by_label("Trader").input_value() == "T002"
