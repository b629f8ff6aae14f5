"""Check what scripts need: every change of a book is one."""

from __future__ import annotations

from collections.abc import Iterator

from .examined import DATA, PRIMARIES, Check, Deployment, Examined, size
from .findings import Opinion, bad, good, risk
from .queries import CONFIG, INFO

SHORTEST = 100
"""Milliseconds: a script of Slotbook's own never runs for as long, but a machine may stop for a moment."""
MANY_SCRIPTS = 1_000


def _limit(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    limit, deadline = server.amount("busy-reply-threshold"), deployment.settings.deadline
    value = f"busy-reply-threshold {limit:,.0f} ms"
    if limit <= 0 or limit > deadline * 1_000:
        yield risk(
            value,
            "a script of anybody's that does not end stops the server, and calls end at their deadline without "
            "a reason; only later could it be stopped (SCRIPT KILL)",
            "CONFIG SET busy-reply-threshold 5000, and a deadline that is longer",
        )
    elif limit < SHORTEST:
        yield risk(
            value,
            "while any script runs for that long, everybody else is answered BUSY",
            "CONFIG SET busy-reply-threshold 5000",
        )
    else:
        yield good(value)


def _engine(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    count = server.number("number_of_cached_scripts")
    used = size(server.number("used_memory_vm_eval"))
    value = f"Lua, {used}, {count:,.0f} scripts"
    if server.has_info("engines_count") and not server.number("engines_count"):
        yield bad("no Lua", "every change of a book is a script in Lua", "load the server's module lua")
    elif count > MANY_SCRIPTS:
        yield risk(
            value,
            "some program sends scripts with values in their text, and the server keeps each of them",
            "find it (SLOWLOG, MONITOR), and have it pass values as arguments; SCRIPT FLUSH is safe for books",
        )
    else:
        yield good(value)


CHECKS = (
    Check("script limit", DATA, (CONFIG,), _limit),
    Check("script engine", PRIMARIES, (INFO,), _engine),
)
