"""Show every command on a terminal of 80 columns and 30 lines, on the demo's trading day, in docs/reference/screens.md.

    .venv/bin/python scripts/show_commands.py              # all of them, in two minutes
    .venv/bin/python scripts/show_commands.py orders order # some of them; the others stay as they are

SLOTBOOK_SEARCH_SERVER names a server that searches (.ci/search-server); without one, ``index`` stays as it is.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyte
import slotbook
from slotbook.cli.commands import COMMANDS
from slotbook.cli.day import trading_day
from slotbook.models.journal import JournalRequest
from slotbook.models.limits import Limits
from slotbook.models.order import Order
from slotbook.topology.embedded import start

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "screens.md"
COLUMNS, LINES = 80, 30
LONGEST = 300.0
"""Seconds after which a command is given up."""

HEAD = """# Screens

Every command on a terminal of 80 columns and 30 lines, on the trading day of `slotbook demo`, as
`scripts/show_commands.py` has found it; of more than that, a terminal shows the end. A name that does not fit is cut in
its middle (`…`), a column that is empty goes, and a number is never wrapped; in a pipe each row is one whole line.
[Commands](commands.md) says what each is for.
"""

MODELS = """from collections.abc import Mapping
from typing import Annotated

from slotbook import Entity, Index, Key
from slotbook.models.types import Name, Quantity


class Before(Entity, kind="allocation"):
    trader: Name
    allocation_id: Annotated[Name, Key]
    quantity: Quantity


class Allocation(Entity, kind="allocation", schema=2, upgrade={1: dict}):
    trader: Name
    allocation_id: Annotated[Name, Key]
    account: Annotated[Name | None, Index] = None
    quantity: Quantity
"""
SYMBOLS = """Nasdaq Traded|Symbol|Security Name|Listing Exchange|Round Lot Size
Y|AAPL|Apple Inc. - Common Stock|Q|100
Y|AMZN|Amazon.com, Inc. - Common Stock|Q|100
Y|MSFT|Microsoft Corporation - Common Stock|Q|100
Y|NVDA|NVIDIA Corporation - Common Stock|Q|100
"""


@dataclass(frozen=True)
class Shown:
    """A command line whose screen is shown."""

    words: tuple[str, ...]
    url: str | None = None
    """Given to the command by the environment."""
    stops_after: float | None = None
    """Seconds after which Ctrl-C is pressed, for what does not end by itself."""


def shown(url: str, empty_url: str, search_url: str | None) -> Iterator[Shown]:
    """Yield the command lines, those that change something last."""
    yield Shown(("--help",))
    yield Shown(("orders", "--help"))
    for line in (
        "orders --trader T001 --symbol AAPL",
        "order T001 T001-0001",
        "fills T001 T001-0001",
        "positions --trader T001",
        "positions --symbol AAPL",
        "traders",
        "history T001 --limit 12",
        "limits T001",
        "dead T002",
        "doctor",
        "verify",
        "warm symbols.txt",
        "migrate desk:Allocation",
    ):
        yield Shown(tuple(line.split()), url)
    yield Shown(("replay", "journal.csv"), empty_url)
    yield Shown(("watch",), url, stops_after=4)
    if search_url is not None:
        yield Shown(("index", "create"), search_url)
        yield Shown(("index", "info"), search_url)
    yield Shown(("halt", "T001", "--text", "end of day"), url)
    for name, after in (("ping", None), ("serve", 12.0), ("web", 15.0)):
        if any(command.name == name for command in COMMANDS):
            yield Shown((name,), None if name == "serve" else url, stops_after=after)
    yield Shown(("demo",))
    yield Shown(("bench", "--quick"))


def screen_of(command: Shown, folder: Path) -> str:
    """Run a command on a terminal, and return its screen: the last one before Ctrl-C where it is stopped."""
    screen = pyte.HistoryScreen(COLUMNS, LINES, history=200)
    stream = pyte.ByteStream(screen)
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLOTBOOK_")}
    environment = {**kept, "TERM": "xterm-256color", "PYTHONPATH": str(folder)}
    environment.pop("COLUMNS", None)
    if command.url is not None:
        environment["SLOTBOOK_URL"] = command.url
    process = subprocess.Popen(
        [sys.executable, "-m", "slotbook", *command.words],
        cwd=folder,
        env=environment,
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
    )
    os.close(other)
    ends = time.monotonic() + (command.stops_after or LONGEST)
    while (left := ends - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            stream.feed(os.read(terminal, 65536))
        except OSError:  # the command has ended
            break
    above = ["".join(row[column].data for column in range(COLUMNS)) for row in screen.history.top]
    lines = [line.rstrip() for line in [*(above if "--help" in command.words else []), *screen.display]]
    if command.stops_after is not None:
        process.send_signal(signal.SIGINT)
    elif process.poll() is None and time.monotonic() >= ends:
        process.kill()
    os.close(terminal)
    process.wait()
    return "\n".join(lines).strip("\n")


def book_of_the_day(url: str, folder: Path) -> None:
    """Make the book that is shown, and the files that commands read."""
    (folder / "desk.py").write_text(MODELS, encoding="utf-8")
    (folder / "symbols.txt").write_text(SYMBOLS, encoding="utf-8")
    sys.path.insert(0, str(folder))
    desk = importlib.import_module("desk")

    day = trading_day()
    requests = [request for number in range(max(map(len, day.values()))) for request in _rows(day, number)]
    (folder / "journal.csv").write_text(_journal(requests[:2000]), encoding="utf-8")
    with slotbook.connect(url) as book:
        book.reconcile(requests)
        book.limits.set(Limits(trader="T001", max_order=1000, orders_per_second=50))
        book.limits.set(Limits(trader="T001", symbol="AAPL", max_position=5000, max_notional=Decimal(250_000)))
        allocations = book.table(desk.Before)
        for number in range(40):
            allocations.insert(desk.Before(trader="T001", allocation_id=f"L{number}", quantity=100))
        with book.events.consume("risk", "risk-1", ["T002"], max_deliveries=1, min_idle=0.05, batch=1) as consumer:
            for delivery in consumer:
                try:
                    with delivery:
                        raise ValueError("no mark for this symbol")
                except ValueError:
                    if len(book.events.dead_letters("T002")) >= 3:
                        consumer.stop()


def _rows(day: dict[str, list[JournalRequest]], number: int) -> list[JournalRequest]:
    return [requests[number] for requests in day.values() if number < len(requests)]


def _journal(requests: list[JournalRequest]) -> str:
    lines = ["seq,ts_ns,trader,event,order_id,symbol,side,quantity,price,exec_id"]
    orders = {request.order_id: request for request in requests if isinstance(request, Order)}
    for number, request in enumerate(requests, 1):
        order = orders.get(request.order_id)
        if order is None:
            continue
        event = {"Order": "NEW", "Cancel": "CANCEL"}.get(type(request).__name__, type(request).__name__.upper())
        values = (
            *(number, request.ts_ns, request.trader, event, request.order_id, order.symbol, order.side.value),
            *(getattr(request, name, None) for name in ("quantity", "price", "exec_id")),
        )
        lines.append(",".join("" if value is None else str(value) for value in values))
    return "\n".join(lines) + "\n"


def sections() -> dict[str, str]:
    """Return what the page has, by command line."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    return dict(re.findall(r"^## `slotbook ([^\n]+)`\n\n```text\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE))


def main(wanted: list[str]) -> None:
    """Write the page anew, or the screens of some commands."""
    search = os.environ.pop("SLOTBOOK_SEARCH_SERVER", None)
    before, found = sections(), dict[str, str]()
    with tempfile.TemporaryDirectory() as place, start("standalone") as servers, start("standalone") as empty:
        folder = Path(place)
        book_of_the_day(servers.url, folder)
        searching = start("standalone", server=search) if search else None
        for command in shown(servers.url, empty.url, searching.url if searching else None):
            line = " ".join(f"'{word}'" if " " in word else word for word in command.words)
            if line in before and wanted and command.words[0] not in wanted:
                found[line] = before[line]
                continue
            sys.stderr.write(f"slotbook {line}\n")
            found[line] = screen_of(command, folder)
        if searching:
            searching.stop()
    found |= {line: text for line, text in before.items() if line.startswith("index ") and line not in found}
    order = ["--help", *(command.name for command in COMMANDS)]
    ordered = sorted(found, key=lambda line: order.index(line.split()[0]))
    parts = [f"## `slotbook {line}`\n\n```text\n{found[line]}\n```\n" for line in ordered]
    PAGE.write_text("\n".join([HEAD, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
