"""The page of ``slotbook web`` while servers fail, and while its own server is away: it says so, and goes on whole."""

from __future__ import annotations

import signal
import time

import pytest
import slotbook
from playwright.sync_api import Browser
from slotbook.topology.embedded import Topology

from ..faults.conftest import Deploy
from ..support.browser import Sight, blotter
from ..support.make import execution, fresh, limit

COPIES = "replicated={}"


@pytest.mark.parametrize("topology", ["sentinel", "cluster"])
def test_a_primary_is_killed_and_rows_go_on(deploy: Deploy, browser: Browser, topology: Topology) -> None:
    control, trader = deploy(topology), fresh()
    url = control.url(deadline=30)
    with slotbook.connect(url) as book:
        primary = control.primary(f"{{{trader}}}")
        everywhere = COPIES.format(len(control.replicas(primary)))
        book.orders.place(limit(trader, "A0"), durability=everywhere)
        with blotter(url) as running:
            sight = Sight(browser, running.link)
            sight.wait_for("orders", "order", "A0")
            for number in range(1, 6):
                book.orders.place(limit(trader, f"A{number}"), durability=everywhere)
            control.keep_primaries()
            control.kill(primary)
            sight.page.wait_for_selector("#state[data-state=reconnecting]")
            control.take_over(primary, f"{{{trader}}}")
            for number in range(6, 12):
                book.orders.place(limit(trader, f"A{number}"))
                book.orders.fill(execution(trader, f"X{number}", 10, order_id=f"A{number}"))
            sight.page.wait_for_selector("#state[data-state=live]")
            sight.wait_for("positions", "position", "60")
            sight.until(lambda: len(sight.cells("events", "number")) == 18, "every event is there once")
            last = book.events.history(trader)[-1].sequence
            assert sight.cells("events", "number") == [str(number) for number in range(last, 0, -1)]
            assert sorted(sight.cells("orders", "order")) == sorted(f"A{number}" for number in range(12))
            assert int(sight.page.inner_text("#interruptions")) >= 1
            assert sight.said == []
            sight.page.close()


def test_what_the_servers_have_lost_is_said_and_taken_back(deploy: Deploy, browser: Browser) -> None:
    control, trader = deploy("sentinel"), fresh()
    url = control.url(deadline=30)
    with slotbook.connect(url) as book:
        primary = control.primary()
        book.orders.place(limit(trader, "KEPT"), durability=COPIES.format(len(control.replicas(primary))))
        with blotter(url) as running:
            sight = Sight(browser, running.link)
            sight.wait_for("orders", "order", "KEPT")
            replicas = control.strand(primary)
            book.orders.place(limit(trader, "LOST"))
            book.orders.fill(execution(trader, "X1", order_id="LOST"))
            sight.wait_for("positions", "position", "40")
            control.kill(primary)
            for replica in replicas:
                control.thaw(replica)
            control.take_over(primary)
            sight.page.wait_for_selector("#problem-list li.loss")
            assert f"changes 2 to 3 of {trader}'s book" in sight.page.inner_text("#problem-list")
            sight.until(lambda: sight.cells("orders", "order") == ["KEPT"], "the lost order is gone")
            assert sight.cells("positions", "position") == []
            assert sight.cells("events", "number") == ["3 lost", "2 lost", "1"]
            sight.page.close()


def test_a_page_that_was_cut_off_goes_on_where_it_was(url: str, browser: Browser) -> None:
    trader = fresh()
    with slotbook.connect(url) as book, blotter(url) as running:
        book.orders.place(limit(trader, "A0"))
        sight = Sight(browser, running.link)
        sight.wait_for("orders", "order", "A0")
        asked: list[str | None] = []
        sight.page.on("request", lambda request: asked.append(request.header_value("last-event-id")))
        running.process.send_signal(signal.SIGSTOP)
        sight.page.wait_for_selector("#state[data-state=stale]", timeout=30_000)
        assert "rows are as of" in sight.page.inner_text("#state")
        assert sight.cells("orders", "order") == ["A0"]
        for number in range(1, 4):
            book.orders.place(limit(trader, f"A{number}"))
        running.process.send_signal(signal.SIGCONT)
        sight.page.wait_for_selector("#state[data-state=live]", timeout=30_000)
        sight.until(lambda: sight.cells("orders", "order") == ["A3", "A2", "A1", "A0"], "all orders")
        assert sight.cells("events", "number") == ["4", "3", "2", "1"]
        assert any(asked)
        sight.page.close()


def test_a_link_of_another_run_lets_nobody_in(url: str, browser: Browser) -> None:
    with blotter(url) as first:
        sight = Sight(browser, first.link)
        port, said = first.port, first.end()
    assert said == ""
    sight.page.wait_for_selector("#state[data-state=stale]")
    with blotter(url, "--port", str(port)):
        sight.page.wait_for_selector("#state[data-state=refused]", timeout=30_000)
    assert "has its link" in sight.page.inner_text("#state")
    sight.page.close()


def test_nothing_is_left_when_it_ends_with_pages_open(url: str, browser: Browser) -> None:
    with blotter(url) as running:
        sights = [Sight(browser, running.link) for _ in range(3)]
        began = time.monotonic()
        assert running.end() == ""
        assert time.monotonic() - began < 20
    for sight in sights:
        sight.page.wait_for_selector("#state[data-state=stale]")
        sight.page.close()


def test_a_day_that_could_not_be_read_is_read_again(deploy: Deploy, browser: Browser) -> None:
    control, trader = deploy("standalone"), fresh()
    with slotbook.connect(control.url()) as book, blotter(control.url(deadline=1)) as running:
        book.orders.place(limit(trader))
        book.orders.fill(execution(trader))
        sight = Sight(browser, running.link)
        sight.wait_for("positions", "position", "40")
        control.freeze(control.primary())
        sight.page.get_by_role("button", name="AAPL").first.click()
        sight.page.get_by_text("could not be read").wait_for()
        control.thaw(control.primary())
        sight.page.wait_for_selector("#chart svg")
        sight.page.close()
