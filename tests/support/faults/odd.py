"""Replies that no server gives: random ones, and real ones of which a part is another; as strategies of Hypothesis."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st

from .resp import Frame, frame_of, written

_BETWEEN = frozenset({"AUTH", "HELLO", "SCRIPT"})
"""What a connection asks by itself when it is opened, or has not asked for a while: not what a test has asked for."""
Change: TypeAlias = "Other | Part | Cut | Surplus | Kept"


@dataclass(frozen=True)
class Other:
    """Another reply in its place."""

    reply: bytes


@dataclass(frozen=True)
class Part:
    """Another value in place of one of its parts."""

    number: int
    value: bytes


@dataclass(frozen=True)
class Cut:
    """One of its lists with the last element missing, or there twice."""

    number: int
    twice: bool


@dataclass(frozen=True)
class Surplus:
    """One reply too many, before or after it."""

    reply: bytes
    first: bool


@dataclass(frozen=True)
class Kept:
    """The same reply, which is noted."""


def changed(reply: bytes, change: Change) -> bytes:
    """Return what is sent in place of a reply."""
    match change:
        case Kept():
            return reply
        case Other(other):
            return other
        case Surplus(surplus, first):
            return surplus + reply if first else reply + surplus
        case _:
            frame = frame_of(reply)
            parts = frame.parts() if isinstance(change, Part) else [one for one in frame.parts() if one.elements]
            if parts:
                _change(parts[change.number % len(parts)], change)
            return written(frame)


def _change(part: Frame, change: Part | Cut) -> None:
    if isinstance(change, Part):
        part.head, part.elements = change.value, []
    elif change.twice:
        part.elements.append(part.elements[-1])
    else:
        part.elements.pop()


class Swap:
    """The replies that a proxy passes on: those that were asked for, but for one, which is changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._change: Change | None = None
        self._left = 0
        self.done = False
        """True when the change was made."""
        self.kept = b""
        """The reply that was changed last, as it was."""

    def arm(self, change: Change, skip: int = 0) -> None:
        """Change a reply, after some others."""
        with self._lock:
            self._change, self._left, self.done = change, skip, False

    def disarm(self) -> None:
        """Change none any more."""
        with self._lock:
            self._change = None

    def __call__(self, verb: str, reply: bytes) -> bytes:
        """Return what is sent in place of a reply."""
        with self._lock:
            change = self._change
            if change is None or verb in _BETWEEN:
                return reply
            if self._left:
                self._left -= 1
                return reply
            self._change, self.done, self.kept = None, True, reply
        return changed(reply, change)


WORDS = (
    *("applied", "repeat", "outdated", "duplicate", "refused", "unfinished", "error", "corrupt", "missing", "closed"),
    *("hit", "lease", "wait", "absent", "failed", "held", "busy", "session", "gone", "swapped", "other", "allowed"),
    *("1", "0", "-1", "x", "", "1-0", "nan", "1 2 3", "\u00b2", "AAPL", "role", "master", "writer", "9" * 30),
)
ERRORS = (
    *(
        "MOVED x",
        "MOVED",
        "MOVED 1 ",
        "MOVED 99999 127.0.0.1:1",
        "MOVED 1 127.0.0.1:99999",
        "MOVED -1 :x",
        "MOVED 1 2 3",
    ),
    *("ASK", "ASK 5 x:y", "ASK a 127.0.0.1:1", "", "ERR", "NOSCRIPT", "x" * 300, "TRYAGAIN", "CROSSSLOT", "READONLY"),
    *("NOPERM", "WRONGTYPE no", "OOM", "UNFINISHED half", "MISCONF", "ERR MOVED 1", "MASTERDOWN", "NOAUTH no"),
)


def _bulk(text: str) -> bytes:
    data = text.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


_scalars = st.one_of(
    st.sampled_from(WORDS).map(_bulk),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b":%d\r\n" % number),
    st.sampled_from(
        (b":0\r\n", b":1\r\n", b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"+OK\r\n", b"+PONG\r\n", b"+QUEUED\r\n")
    ),
    st.sampled_from(
        (b"_\r\n", b"#t\r\n", b"#f\r\n", b",1.5\r\n", b",nan\r\n", b"(123456789012345678901\r\n", b"%0\r\n")
    ),
    st.binary(max_size=12).map(lambda data: b"$%d\r\n%s\r\n" % (len(data), data)),
    st.sampled_from(ERRORS).map(lambda text: b"-" + text.encode() + b"\r\n"),
)


def _list_of(kind: int, parts: list[bytes]) -> bytes:
    return b"%c%d\r\n%s" % (kind, len(parts), b"".join(parts))


VALUES: st.SearchStrategy[bytes] = st.recursive(
    _scalars,
    lambda inner: st.builds(_list_of, st.sampled_from(b"***~"), st.lists(inner, max_size=6)),
    max_leaves=12,
)
"""Whole replies of RESP2 and RESP3, also such as no server sends; what is pushed is no reply."""
BROKEN = (b"!", b":x\r\n", b"*-7\r\n", b"%1\r\n*0\r\n:1\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x16\x03")
"""Bytes that are no reply at all."""
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Part, st.integers(0, 200), VALUES),
    st.builds(Other, st.one_of(VALUES, st.sampled_from(BROKEN))),
    st.builds(Cut, st.integers(0, 50), st.booleans()),
)
