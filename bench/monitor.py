"""Show what a server runs, by its command MONITOR, down to the commands that scripts call."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..topology.address import Address
from ..topology.call import pack
from .floor import BareSocket

_LINE = re.compile(r"^[\d.]+ \[\d+ (\S+)\] (.*)$", re.DOTALL)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)")
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}


class Seen(NamedTuple):
    """One command that a server has run."""

    by_script: bool
    words: tuple[bytes, ...]

    @classmethod
    def parse(cls, line: str) -> Seen:
        r"""Return the command that a line of MONITOR shows.

        >>> Seen.parse('1700000000.000001 [0 lua] "SET" "{T}:a" "say \\"\\xc3\\xbc\\"\\n"')
        Seen(by_script=True, words=(b'SET', b'{T}:a', b'say "\xc3\xbc"\n'))
        """
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f"this is no line of MONITOR: {line!r}")
        return cls(found[1] == "lua", tuple(_plain(word) for word in _WORD.findall(found[2])))


class Monitor:
    """A connection that sees what its server runs, from when it is opened."""

    def __init__(self, address: Address, password: str) -> None:
        self._socket = BareSocket(address, password)
        self._socket.ask(pack(("MONITOR",)))

    def until(self, marker: str) -> list[Seen]:
        """Return what has run since the last time, up to an ECHO of the marker, which is not returned."""
        seen: list[Seen] = []
        while (last := Seen.parse(str(self._socket.ask(b"")))).words != (b"ECHO", marker.encode()):
            seen.append(last)
        return seen

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _plain(word: str) -> bytes:
    """Return the bytes that a server shows between quotes, all but printable ASCII escaped."""
    return _ESCAPE.sub(_unescaped, word.encode("ascii"))


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    if len(code) == 3:
        return bytes.fromhex(code[1:].decode())
    return _CONTROL.get(code, code)
