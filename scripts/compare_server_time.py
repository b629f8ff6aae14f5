"""Compare the server's time for changes with that of another checkout of Slotbook, and what limits add to a place.

``python scripts/compare_server_time.py ../older`` prints a table: the other's figure, this one's, and their ratio, or
what a limit adds to a place of this checkout. Each makes the changes, and its calls are recorded; then one server
gets the calls of both, block by block in turns. A figure is a median, in microseconds that the server's main thread
works for a change; a ratio is the median of those of each round. With ``--instructions`` they are thousands of the
server's instructions, as valgrind counts them, on which other work on the machine has no effect. With ``--together``
a hundred calls are sent in one piece: the server does not sleep before each of them, after which all takes longer.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import urlsplit

import slotbook
from slotbook import Fill, Order, Side
from slotbook.bench.floor import BareSocket
from slotbook.bench.measure import SLOTBOOK, Block, Race, run
from slotbook.bench.monitor import Monitor
from slotbook.bench.recorder import Recorder
from slotbook.bench.stage import address_of, cores_apart
from slotbook.topology.address import Address
from slotbook.topology.call import pack
from slotbook.topology.embedded import Deployment, start
from slotbook.topology.embedded.binary import find_program
from slotbook.topology.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
OTHER = "other"
SCRIPTS = "scripts"
OF_SYMBOL = "symbol."

Recorded: TypeAlias = dict[str, tuple[list[str], list[str]]]
"""By job: the calls before, and those that are measured, whose bytes are text in Latin-1."""


@dataclass(frozen=True, slots=True)
class Job:
    """Changes of one trader's orders; they are placed before, filled whole in the other direction where fills close."""

    measured: str
    """The change that is measured, "place" or "fill"."""
    quantity: str = "100"
    filled: str = ""
    closes: bool = False
    limits: tuple[str, ...] = ()
    """The limits that are set before, of which those of the symbol begin with ``symbol.``."""
    beside: str = ""
    """The other checkout's job that it is compared with; "" for the same."""


_WHOLE, _PART = "100", "40"
_FINE, _FINE_PART = "1.25000001", "0.50000003"
JOBS = {
    "place": Job("place"),
    "fill that opens, part": Job("fill", filled=_PART),
    "fill that opens, whole": Job("fill", filled=_WHOLE),
    "fill that closes, part": Job("fill", filled=_PART, closes=True),
    "fill that closes, whole": Job("fill", filled=_WHOLE, closes=True),
    "8 places: place": Job("place", _FINE, beside="place"),
    "8 places: fill that opens": Job("fill", _FINE, _FINE_PART, beside="fill that opens, part"),
    "8 places: fill that closes": Job("fill", _FINE, _FINE_PART, closes=True, beside="fill that closes, part"),
    "place, one limit": Job("place", limits=("max_position",)),
    "place, three limits": Job("place", limits=("max_order", "max_notional", "max_position")),
    "place, orders per second": Job("place", limits=("orders_per_second",)),
    "place, a symbol's per second": Job("place", limits=("symbol.orders_per_second",)),
}


def make(job: Job, book: slotbook.Book, size: int) -> Callable[[], None]:
    """Make what a job needs, and return the function that makes what is measured."""
    trader, symbol, stamp = "T001", "AAPL", 1_700_000_000_000_000_000

    def place(name: str, side: str, orders: int = size) -> None:
        for number in range(orders):
            book.orders.place(
                Order(
                    trader=trader,
                    order_id=f"{name}{number:06}",
                    symbol=symbol,
                    side=Side(side),
                    quantity=Decimal(job.quantity),
                    price=Decimal("187.23"),
                    ts_ns=stamp + number,
                )
            )

    def fill(name: str, quantity: str) -> None:
        for number in range(size):
            book.orders.fill(
                Fill(
                    trader=trader,
                    order_id=f"{name}{number:06}",
                    exec_id=f"X{number}",
                    quantity=Decimal(quantity),
                    price=Decimal("187.22"),
                    ts_ns=stamp + number,
                )
            )

    set_limits(job, book, trader, symbol)
    place("F", "SELL", 1)  # the first in a symbol makes the trader's position
    if job.closes:
        place("B", "BUY")
        fill("B", job.quantity)
    if job.measured == "place":
        return lambda: place("A", "BUY")
    place("A", "SELL" if job.closes else "BUY")
    return lambda: fill("A", job.filled)


def set_limits(job: Job, book: slotbook.Book, trader: str, symbol: str) -> None:
    """Set the limits of a job."""
    own = [limit for limit in job.limits if limit.startswith(OF_SYMBOL)]
    for of_symbol, some in ((None, [one for one in job.limits if one not in own]), (symbol, own)):
        if some:
            values = {one.removeprefix(OF_SYMBOL): 10**9 for one in some}
            book.limits.set(slotbook.Limits.model_validate({"trader": trader, "symbol": of_symbol, **values}))


def record(url: str, password: str, names: Sequence[str], size: int) -> Recorded:
    """Make the changes of some jobs, and return their calls."""
    parts = urlsplit(url)
    server = BareSocket(address := Address(str(parts.hostname), int(parts.port or 0)), password)
    recorded: Recorded = {SCRIPTS: ([], [])}
    for name in names:
        for _ in range(2):  # the first time the server has not every script, so calls are sent twice
            server.ask(pack(("FLUSHALL", "SYNC")))
            monitor = Monitor(address, password)
            with slotbook.connect(url) as book:
                measured = make(JOBS[name], book, size)
                before = calls_of(server, monitor, recorded[SCRIPTS][0])
                measured()
                recorded[name] = before, calls_of(server, monitor, recorded[SCRIPTS][0])
            monitor.close()
    server.close()
    return recorded


def calls_of(server: BareSocket, monitor: Monitor, scripts: list[str]) -> list[str]:
    """Return the calls of scripts that a server has had, and note the scripts that it was given."""
    server.ask(pack(("ECHO", "made")))
    seen = [one.words for one in monitor.until("made") if not one.by_script]
    scripts += [pack((b"SCRIPT", b"LOAD", words[1])).decode("latin-1") for words in seen if words[0] == b"EVAL"]
    return [pack(words).decode("latin-1") for words in seen if words[0] == b"EVALSHA"]


def recorded_by(checkout: Path, url: str, password: str, size: int, names: Sequence[str]) -> Recorded:
    """Return the calls that a checkout makes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "slotbook").symlink_to(checkout.resolve())
        told = {"url": url, "password": password, "names": names, "size": size}
        done = subprocess.run(
            [sys.executable, __file__, "--record"],
            env={**os.environ, "PYTHONPATH": folder},
            input=json.dumps(told),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return cast("Recorded", json.loads(done.stdout))


def block_of(recorder: Recorder, calls: tuple[list[str], list[str]], at_once: int) -> Block:
    """Return a block that makes the calls of a job, some at once."""
    before, measured = ([one.encode("latin-1") for one in some] for some in calls)

    def block(size: int) -> Callable[[], object]:
        recorder.empty()
        recorder.send(before)

        def made() -> None:
            for first in range(0, size, at_once):
                recorder.send(measured[first : min(first + at_once, size)])

        return made

    return block


@contextmanager
def stage(*, counts: bool) -> Generator[tuple[Deployment, Callable[[Recorder], float]]]:
    """Yield a server and a clock, of what its main thread has worked or of the instructions that valgrind counts."""
    if not counts:
        with start("standalone") as deployment, cores_apart(deployment):
            yield deployment, Recorder.main_thread_seconds
        return
    with tempfile.TemporaryDirectory() as folder:
        wrapper = Path(folder, "counted-server")
        counting = f"valgrind -q --tool=callgrind --callgrind-out-file={folder}/callgrind"
        wrapper.write_text(f'#!/bin/sh\nexec {counting} {find_program(None)} "$@"\n', encoding="utf-8")
        wrapper.chmod(0o700)
        # Counted, nearly every command is so slow that the server would note it in its log of slow ones, and what
        # it does ten times a second for itself would count the more, the longer the calls take.
        quiet = {"slowlog-log-slower-than": "-1", "hz": "1"}
        with start("standalone", server=str(wrapper), options=quiet) as deployment:
            pid = str(deployment.servers[0].pid)

            def counted(_: Recorder) -> float:
                told = subprocess.run(["callgrind_control", "-e", pid], capture_output=True, text=True, check=True)
                return int(re.findall(r"Th 1 +([\d,]+)", told.stdout)[0].replace(",", "")) / 1e9

            yield deployment, counted


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, nargs="?", help="the other checkout")
    parser.add_argument("--instructions", action="store_true", help="count instructions instead, with valgrind")
    parser.add_argument(
        "--size", type=int, default=0, help="changes of a block; by default 1,000, or 100 that are counted"
    )
    parser.add_argument("--rounds", type=int, default=0, help="blocks of each; by default 25, or 2 that are counted")
    parser.add_argument("--only", default="", help="the jobs whose names have this in them")
    parser.add_argument("--together", action="store_true", help="send 100 calls at once, not each when it is its turn")
    parser.add_argument("--record", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.record:
        print(json.dumps(record(**json.load(sys.stdin))))
        return
    if given.other is None:
        parser.error("give the other checkout")
    counts: bool = given.instructions
    size, rounds = given.size or (100 if counts else 1_000), given.rounds or (2 if counts else 25)
    at_once = 100 if given.together else 1
    names = [name for name in JOBS if given.only in name]
    beside = {name: JOBS[name].beside or name for name in names if not JOBS[name].limits}
    with start("standalone") as deployment:
        server = deployment.url, deployment.password, size
        ours = recorded_by(ROOT, *server, [*dict.fromkeys(("place", *names))])
        theirs = recorded_by(given.other, *server, [*dict.fromkeys(beside.values())])
    with stage(counts=counts) as (deployment, clock):
        recorder = Recorder(address_of(deployment), deployment.password, Settings())
        recorder.send([one.encode("latin-1") for made in (ours, theirs) for one in made[SCRIPTS][0]])
        for name in names:
            against = theirs[beside[name]] if name in beside else ours["place"]
            blocks = {SLOTBOOK: block_of(recorder, ours[name], at_once), OTHER: block_of(recorder, against, at_once)}
            found = run(Race(name, "server", blocks, size, rounds, clock=lambda: clock(recorder)))
            said = f"{found.median(OTHER):8.2f} {found.median(SLOTBOOK):8.2f}"
            if name in beside:
                print(f"{name:30} {said}   x {found.ratio(SLOTBOOK, OTHER):.3f}", flush=True)
            else:
                added = statistics.median(a - b for a, b in zip(*found.figures.values(), strict=True))
                print(f"{name:30} {said}   + {added:.2f}", flush=True)
        recorder.close()


if __name__ == "__main__":
    main()
