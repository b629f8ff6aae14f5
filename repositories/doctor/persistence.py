"""Check what is left of a book when its server starts again."""

from __future__ import annotations

import time
from collections.abc import Iterator

from .examined import DATA, PRIMARIES, Check, Deployment, Examined
from .findings import Opinion, bad, good, note, risk
from .queries import CONFIG, INFO
from .versions import release


def _persistence(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    snapshots, log = server.config("save"), server.config("appendonly") == "yes"
    if log:
        yield good(f"append-only file{', snapshots' if snapshots else ''}")
    elif deployment.settings.durability.fsynced:
        yield bad(
            "no append-only file",
            "durability=fsynced waits for a file that is not written: every change fails",
            "CONFIG SET appendonly yes, and CONFIG REWRITE",
        )
    elif snapshots:
        yield risk(
            "snapshots only",
            "a restart brings back the last snapshot; all changes since are lost",
            "CONFIG SET appendonly yes, and CONFIG REWRITE",
        )
    else:
        yield bad(
            "none",
            "a server that starts again is empty, and its replicas copy that",
            "CONFIG SET appendonly yes, and CONFIG REWRITE",
        )


def _syncs(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.config("appendonly") != "yes":
        return
    how = server.config("appendfsync")
    if how == "no":
        yield risk(
            "appendfsync no",
            "the system writes the file when it likes: a machine without power loses up to half a minute",
            "CONFIG SET appendfsync everysec, and durability=fsynced for what must not lose that second",
        )
    elif server.config("no-appendfsync-on-rewrite") == "yes":
        yield risk(
            "no-appendfsync-on-rewrite yes",
            "while the file is written anew, nothing is synced: a machine without power loses that time",
            "CONFIG SET no-appendfsync-on-rewrite no",
        )
    else:
        yield good(f"appendfsync {how}")


_SAVES = {
    "rdb_last_bgsave_status": ("the last snapshot failed", "snapshot"),
    "aof_last_write_status": ("the last write of the append-only file failed", "write"),
    "aof_last_bgrewrite_status": ("the last rewrite of the append-only file failed", "rewrite"),
}


def _last_save(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    failed = [text for field, (text, _) in _SAVES.items() if server.info(field) != "ok"]
    for text in failed:
        yield bad(
            text,
            "the server may refuse every change (MISCONF), and what it keeps on disk is old",
            "see the server's log: a full disk, a folder that it may not write to, or no memory for a fork",
        )
    if not failed:
        ago = (server.clock.server if server.clock else time.time()) - server.number("rdb_last_save_time")
        log = ", append-only file ok" if server.info("aof_enabled") == "1" else ""
        unsaved = server.number("rdb_changes_since_last_save")
        yield good(f"snapshot {_duration(ago)} ago, {unsaved:,.0f} changes since{log}")


def _log_that_was_cut(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.config("appendonly") != "yes":
        return
    if server.config("aof-load-truncated") != "yes":
        yield note(
            "aof-load-truncated no",
            "after a kill the server may not start before its append-only file is repaired by hand",
            "redis-check-aof --fix, when it happens",
        )
    elif release(server).keeps_half_changes:
        yield risk(
            f"{release(server)} with appendonly yes",
            "after a kill it may keep half a change at the end of its append-only file, which the start after next "
            "takes for a part of another: events are missing, positions wrong, and no call tells",
            "a later version; until then redis-check-aof --fix after each crash, before the start, "
            "which aof-load-truncated no asks for; or BGREWRITEAOF after it",
        )
    else:
        yield good(f"{release(server)} takes it out")


def _duration(seconds: float) -> str:
    """Return a time as people read it.

    >>> _duration(75), _duration(7_200)
    ('75 s', '2.0 h')
    """
    return f"{seconds:.0f} s" if seconds < 3_600 else f"{seconds / 3_600:.1f} h"


CHECKS = (
    Check("persistence", PRIMARIES, (CONFIG,), _persistence),
    Check("syncing to disk", DATA, (CONFIG,), _syncs),
    Check("last save", DATA, (INFO,), _last_save),
    Check("half a change on disk", DATA, (INFO, CONFIG), _log_that_was_cut),
)
