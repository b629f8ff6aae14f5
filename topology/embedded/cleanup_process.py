"""The program of the cleanup process, which does the guard's last work when guard and owner were killed.

The guard runs it as ``python -I -S cleanup_process.py FOLDER OWNER_PID OWNER_FD`` in a session of its own, with a pipe
as standard input. Through the pipe the guard says ``made`` when the folder is there, ``+PID`` before it starts a
server, ``-PID`` when that has ended, and ``done`` when nothing is left to do. When the pipe ends without that, the
guard was killed: then this waits until the owner has ended too, kills the servers and their children, and removes the
folder. Until then the servers serve, and the owner may stop them itself.

First it removes what is left of deployments whose owner, guard and cleanup process were killed at once, such as by a
machine that went down: folders whose lock nobody holds. Their servers are asked to shut down with the passwords there.

Only the standard library may be imported here, and what is seldom needed only then: one of these runs beside each
deployment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LOCK = "lock"
"""The file in a deployment's folder whose lock guard and cleanup process hold."""
PREFIX = "slotbook-"
"""The beginning of the names of these folders."""
YOUNGEST_HIDDEN = 60.0
"""Seconds; a younger folder whose name begins with a point is being made."""
OWNER_CHECK_SECONDS = 1.0
REMOVAL_ATTEMPTS = 40
SHUTDOWN_SECONDS = 1.0


def remove(folder: Path) -> bool:
    """Remove a folder, in which a process that is about to end may still write; return True when it is gone."""
    import shutil

    for _ in range(REMOVAL_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        time.sleep(0.05)
    return False


def sweep(own: Path) -> None:
    """Remove the folders beside one's own of deployments that nobody looks after any more, and stop their servers."""
    for folder in {*own.parent.glob(f"{PREFIX}*"), *own.parent.glob(f".{PREFIX}*")} - {own, _hidden(own)}:
        with contextlib.suppress(OSError):
            found = folder.lstat()
            if found.st_uid != os.getuid() or folder.is_symlink():
                continue
            if folder.name.startswith(".") and time.time() - found.st_mtime < YOUNGEST_HIDDEN:
                continue
            with (folder / LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error when somebody holds it
                if all(_shut_down(config) for config in folder.glob("*/server.conf")):
                    remove(folder)


def _hidden(folder: Path) -> Path:
    """Return the name of a folder while it is being made."""
    return folder.with_name(f".{folder.name}")


def _shut_down(config: Path) -> bool:
    """Stop the server with a configuration file, if it runs; return False when it does not end."""
    import socket

    text = config.read_text(encoding="utf-8", errors="replace")
    port, password = (
        re.search(r"^port (\d+)$", text, re.MULTILINE),
        re.search(r"^requirepass (\w+)$", text, re.MULTILINE),
    )
    if port is None or password is None:
        return True
    try:
        with socket.create_connection(("127.0.0.1", int(port[1])), SHUTDOWN_SECONDS) as connection:
            connection.settimeout(SHUTDOWN_SECONDS)
            # Another program that has the port by now does not know the password.
            connection.sendall(f"AUTH {password[1]}\r\nSHUTDOWN NOSAVE\r\n".encode())
            while said := connection.recv(4096):
                if b"-" in said:
                    return True
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def _reports(pipe: int) -> Iterator[str]:
    pending = b""
    while received := os.read(pipe, 4096):
        *lines, pending = (pending + received).split(b"\n")
        yield from (line.decode() for line in lines)


def _ended(owner: int, descriptor: int) -> bool:
    """Wait a second; return True if the owner has ended by then."""
    if descriptor >= 0:  # it stands for the process itself, not for its id, which another may have later
        return bool(select.select([descriptor], [], [], OWNER_CHECK_SECONDS)[0])
    time.sleep(OWNER_CHECK_SECONDS)
    try:
        os.kill(owner, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing on a signal that a terminal sends to all."""


def main() -> None:
    """Watch over one guard, and clean up after it if it does not do so itself."""
    folder, owner, descriptor = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ignore)
    sweep(folder)
    servers: set[int] = set()
    locks: list[BinaryIO] = []
    for report in _reports(sys.stdin.fileno()):
        if report == "done":
            return
        if report == "made":
            with contextlib.suppress(FileNotFoundError):
                locks.append((folder / LOCK).open("rb"))
                fcntl.flock(locks[0], fcntl.LOCK_SH)
            continue
        (servers.add if report[0] == "+" else servers.discard)(int(report[1:]))
    while folder.exists() and not _ended(owner, descriptor):
        continue
    if folder.exists():
        for server in servers:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(server, signal.SIGKILL)
        remove(folder)
    if _hidden(folder).exists():  # the guard was killed while it made the folder
        remove(_hidden(folder))


if __name__ == "__main__":
    main()
