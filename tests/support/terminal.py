"""Run a command in a terminal of a size, and read its screen as a person sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .forked import fork, module

_HOME = "\x1b[H"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program of this package on a pseudo-terminal, which a test resizes and reads."""

    def __init__(self, arguments: list[str], columns: int, rows: int) -> None:
        self._ours, theirs = pty.openpty()
        self.size = (columns, rows)
        self._set_size()
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self._complaints, complaining = os.pipe()
        self.process = fork(
            module("slotbook", *arguments),
            (theirs, theirs, complaining),
            environment=environment | {"TERM": "xterm"},
            is_leader=True,
        )
        os.close(complaining)
        os.close(theirs)
        self._read = b""

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, as dragging its corner does."""
        self.size = (columns, rows)
        self._set_size()
        self.process.send_signal(signal.SIGWINCH)

    def until(self, condition: Callable[[list[str]], object], seconds: float = 30.0) -> list[str]:
        """Return the lines of the first whole screen for which a condition holds."""
        ends = time.monotonic() + seconds
        lines: list[str] = []
        while time.monotonic() < ends:
            for lines in self._frames():
                if condition(lines):
                    return lines
        raise AssertionError("\n".join(lines))

    def end(self) -> int:
        """Press Ctrl-C, and return the exit code; nothing may be said on standard error."""
        self.process.send_signal(signal.SIGINT)
        while (code := self.process.poll()) is None:
            self._frames()
        assert os.read(self._complaints, 65_536) == b""
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(30)
        os.close(self._ours)
        os.close(self._complaints)

    def _frames(self) -> list[list[str]]:
        """Return the screens that were drawn whole since the last time; each begins at the top left corner."""
        if select.select([self._ours], [], [], 0.2)[0]:
            try:
                self._read += os.read(self._ours, 1_000_000)
            except OSError:  # the program has ended
                return []
        *whole, rest = self._read.decode(errors="ignore").split(_HOME)
        self._read = (_HOME + rest).encode() if whole else self._read
        return [_CONTROL.sub("", frame).replace("\r", "").split("\n") for frame in whole if frame.strip()]

    def _set_size(self) -> None:
        columns, rows = self.size
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
