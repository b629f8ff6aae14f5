"""A journal on disk, plain or gzipped, read line by line as often as one likes."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from ..models.errors import InvalidArgument
from ..models.journal import JournalEntry, JournalError, read_journal

_LONGEST_LINE = 65_536


class JournalFile:
    """An open journal; what cannot be read is a JournalError with the number of its line."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def entries(self) -> Iterator[JournalEntry]:
        """The journal from its beginning."""
        return read_journal(self._lines())

    def _lines(self) -> Iterator[str]:
        number = 1
        try:
            self._text.seek(0)
            # Bounded: a file that is no journal may be one endless line.
            while line := self._text.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise JournalError(number, f"is longer than {_LONGEST_LINE:,} characters")
                number += 1
                yield line
        except EOFError:
            raise JournalError(number, "cannot be read: the gzip file is cut short") from None
        except (OSError, zlib.error) as error:
            raise JournalError(number, f"cannot be read: {error}") from None


@contextmanager
def open_journal(path: Path) -> Generator[JournalFile, None, None]:
    """Open a journal for as long as the context; ``.gz`` at the end of its name says that it is gzipped.

    Raises InvalidArgument when there is no such file.
    """
    if path.exists() and not path.is_file():
        raise InvalidArgument(f"{path} is not a regular file, and a journal is read twice")
    try:
        raw = path.open("rb")
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be opened: {error.strerror}") from None
    with raw:
        data = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        # Bytes that are not UTF-8 become characters that no name may have, so the line that holds them is refused.
        with io.TextIOWrapper(
            cast("io.BufferedReader", data), encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text:
            try:
                yield JournalFile(text)
            except JournalError as error:
                raise InvalidArgument(f"{path}, {error}") from None
