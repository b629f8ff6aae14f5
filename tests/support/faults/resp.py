"""Where a RESP message ends, and what a request asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

_LINES = b"+-:_#,("
_BLOBS = b"$=!"
_LISTS = b"*~>"


def frame_end(data: bytes | bytearray, start: int = 0) -> int:
    """Return the index after the message that begins at ``start``, or -1 when it is not all there yet."""
    line = data.find(b"\r\n", start)
    if line < 0:
        return -1
    kind = data[start]
    after = line + 2
    if kind in _BLOBS:
        end = after + int(data[start + 1 : line]) + 2
        return after if data[start + 1 : line] == b"-1" else end if end <= len(data) else -1
    if kind in _LISTS or kind == b"%"[0]:
        for _ in range(int(data[start + 1 : line]) * (2 if kind == b"%"[0] else 1)):
            after = frame_end(data, after)
            if after < 0:
                return -1
    return after  # a line of its own, also that of an inline command


def verb_of(request: bytes | bytearray) -> str:
    """Return the command of a request, in upper case."""
    words = bytes(request).split(b"\r\n", 3)
    return (words[2] if request[:1] == b"*" else words[0].split(b" ")[0]).decode(errors="replace").upper()


@dataclass
class Frame:
    """One reply: its first line, with the text of a bulk string, and its elements if it is a list."""

    head: bytes
    elements: list[Frame] = field(default_factory=list["Frame"])

    def parts(self) -> list[Frame]:
        """Return it, and every part of it."""
        return [self, *(part for element in self.elements for part in element.parts())]


def frame_of(data: bytes) -> Frame:
    """Return the reply that some bytes are."""
    if data[:1] not in (b"*", b"~", b">") or int(data[1 : data.index(b"\r\n")]) <= 0:
        return Frame(data)
    frame, start = Frame(data[:1]), data.index(b"\r\n") + 2
    while start < len(data):
        end = frame_end(data, start)
        frame.elements.append(frame_of(data[start:end]))
        start = end
    return frame


def written(frame: Frame) -> bytes:
    """Return a reply as bytes."""
    if frame.head not in (b"*", b"~", b">"):
        return frame.head
    return b"%s%d\r\n%s" % (frame.head, len(frame.elements), b"".join(map(written, frame.elements)))
