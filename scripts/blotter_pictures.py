"""Make the pictures in docs/pictures/ of the blotter: a day of four symbols on a server of its own, by Chromium."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import slotbook
from playwright.sync_api import sync_playwright
from slotbook import Book, Fill, Order, Side
from slotbook.topology.embedded import start

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
SIZES = {"blotter": (1280, 980, False), "blotter-dark": (1280, 560, True), "blotter-phone": (390, 844, False)}
"""The width and the height of each picture, and True for a dark one."""
MORNING = 1_795_773_600_000_000_000
MINUTE = 60 * 10**9
PRICES = {"AAPL": "187.20", "ESH4": "4799.25", "MSFT": "412.50", "NVDA": "131.70"}
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb"),
)


def trade(book: Book, orders: int) -> None:
    """Place orders of two traders over a day, and fill most of them; the same each time."""
    chance = random.Random(7)  # noqa: S311 (a day for a picture)
    prices = {symbol: Decimal(price) for symbol, price in PRICES.items()}
    for number in range(1, orders + 1):
        trader, symbol = chance.choice(("T001", "T002")), chance.choice(tuple(prices))
        prices[symbol] += Decimal(chance.choice((-50, -25, 0, 25, 50))) / 100
        order = Order(
            trader=trader,
            order_id=f"ORD-{number:05}",
            symbol=symbol,
            side=chance.choice(tuple(Side)),
            quantity=100,
            price=prices[symbol],
            ts_ns=MORNING + number * MINUTE,
        )
        book.orders.place(order)
        if chance.random() < 0.8:
            quantity = chance.choice((20, 40, 100))
            identity = {"trader": trader, "order_id": order.order_id, "exec_id": f"X{number}"}
            fill = {"quantity": quantity, "price": prices[symbol], "ts_ns": MORNING + number * MINUTE + 10**9}
            book.orders.fill(Fill.model_validate({**identity, **fill}))


def main(folder: Path) -> None:
    """Make all pictures."""
    folder.mkdir(exist_ok=True)
    with start("standalone") as servers, slotbook.connect(servers.url) as book:
        trade(book, 300)
        command = [sys.executable, "-m", "slotbook", "web", "--port", "0", "--json", "--url", servers.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
            try:
                look(str(json.loads(serving.stdout.readline())["url"]) if serving.stdout else "", folder)
            finally:
                serving.send_signal(signal.SIGINT)


def look(link: str, folder: Path) -> None:
    """Open the page in each size, with the day of one position, and take a picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        for name, (width, height, is_dark) in SIZES.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if is_dark else "light"
            )
            page.goto(link)
            page.wait_for_selector("#positions tbody tr")
            page.get_by_label("Filter").fill("T001")
            # A button that moves while it is pressed, as rows above it go, is not clicked.
            page.wait_for_selector("#positions tr:has-text('T002')", state="detached")
            page.get_by_role("button", name="ESH4").first.click()
            page.wait_for_selector("#chart svg")
            page.wait_for_timeout(400)
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
