"""List the commands of the program: where each is written, and what its help says.

The program imports the module of the command that runs and no other, so ``slotbook --help`` is as fast as this table.
"""

from __future__ import annotations

from dataclasses import dataclass

_TRY, _SEE, _CONTROL, _LOAD, _CARE = "Try it", "See", "Control", "Load", "Take care"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the program."""

    name: str
    panel: str
    """The heading under which ``slotbook --help`` shows it."""
    module: str
    """The module of ``slotbook.cli`` with a function of its name, or with an ``app`` of several commands."""
    summary: str
    """The first paragraph of its docstring."""
    examples: tuple[str, ...] = ()
    """Each what one types after ``slotbook``, without ``--url``."""


COMMANDS = (
    Command(
        "demo",
        _TRY,
        "demo_command",
        "Play a trading day on private servers, kill a primary half-way, and count every fill.",
        ("demo --topology sentinel",),
    ),
    Command(
        "serve",
        _TRY,
        "serve",
        "Start private servers on loopback, print their URL, and stop them at Ctrl-C; nothing is left.",
        ("serve --topology cluster", "serve --port 7001 --json"),
    ),
    Command(
        "bench",
        _TRY,
        "bench",
        "Measure Slotbook beside its floor and its peers, in turns, on private servers.",
        ("bench --quick",),
    ),
    Command(
        "orders",
        _SEE,
        "views",
        "Show a trader's orders, by the time they were placed.",
        ("orders --trader T001", "orders --trader T001 --status FILLED --symbol AAPL --json"),
    ),
    Command("order", _SEE, "order", "Show an order, its fills and its events.", ("order T001 A1",)),
    Command("fills", _SEE, "order", "Show an order's fills, in the order of their events.", ("fills T001 A1 --json",)),
    Command(
        "positions",
        _SEE,
        "views",
        "Show one trader's positions, one symbol over all traders, or all symbols.",
        ("positions --trader T001", "positions --trader T001 --account ACC1", "positions --symbol AAPL"),
    ),
    Command(
        "traders",
        _SEE,
        "history",
        "Show the traders of a book, with the switch of trading and the numbers of open orders and positions.",
        ("traders --json",),
    ),
    Command(
        "history",
        _SEE,
        "history",
        "Show a trader's events, the oldest first, each with the change and the state after it.",
        ("history T001 --since 100 --limit 20", "history T001 --order A1 --json"),
    ),
    Command(
        "watch",
        _SEE,
        "watch",
        "Show orders, positions and events as they change, without gaps, also through a failover; Ctrl-C ends it.",
        ("watch", "watch --mark AAPL=187.5", "watch --trader T001 --since 0 --json"),
    ),
    Command(
        "web",
        _SEE,
        "web",
        "Show a blotter in the browser: orders, positions with their profit, and events, live; Ctrl-C ends it.",
        ("web", "web --trader T001 --port 0 --json"),
    ),
    Command(
        "limits",
        _CONTROL,
        "limits",
        "Show a trader's limits, or change some: the trader's own, or with --symbol those in a symbol.",
        ("limits T001", "limits T001 --symbol AAPL --set max_position=500"),
    ),
    Command(
        "halt",
        _CONTROL,
        "limits",
        "Halt a trader's trading: from now on nothing is placed or replaced.",
        ("halt T001 --text 'end of day'", "halt T001 --resume"),
    ),
    Command(
        "replay",
        _LOAD,
        "replay_command",
        "Apply a journal; a second run changes nothing.",
        ("replay journal.csv.gz", "replay journal.csv --orders desk.models:DeskOrder"),
    ),
    Command(
        "warm",
        _LOAD,
        "warm",
        "Write an exchange's symbols to the book and read each of them back; a second run writes them all again.",
        ("warm nasdaqtraded.txt.gz",),
    ),
    Command(
        "migrate",
        _LOAD,
        "migrate",
        "Bring all records of a model to its schema, trader by trader: slotbook migrate desk.models:Allocation.",
        ("migrate desk.models:Allocation",),
    ),
    Command(
        "index",
        _LOAD,
        "index",
        "Make, drop or describe the search indexes that `find` needs.",
        ("index create", "index info --json"),
    ),
    Command(
        "ping",
        _CARE,
        "ping",
        "Ask every primary of a book for a sign of life, and show how long each took to answer.",
        ("ping", "ping --deadline 1 --json"),
    ),
    Command(
        "verify",
        _CARE,
        "verify",
        "Compare what orders, applied fills, events, positions and indexes say of the same facts; show who says what.",
        ("verify", "verify --repair"),
    ),
    Command(
        "dead",
        _CARE,
        "history",
        "Show the events of a trader that a group's consumers could not handle, or put them back with --requeue.",
        ("dead T001", "dead T001 --requeue risk --sequence 17"),
    ),
    Command(
        "doctor",
        _CARE,
        "doctor",
        "Look at every server of a book, replicas and Sentinels too; show what is wrong and what helps.",
        ("doctor --user slotbook",),
    ),
)
"""The commands, as ``slotbook --help`` shows them."""
