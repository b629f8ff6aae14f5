"""Journals on disk, plain or gzipped, which are read line by line and more than once."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from ..models.errors import InvalidArgument
from ..models.fill import Fill
from ..models.journal import JournalEntry, JournalError, RefusedRow, read_journal
from ..models.order import Order

_LONGEST_LINE = 65_536


class JournalFile:
    """An open journal file, whose rows are orders and fills of two classes."""

    def __init__(self, text: TextIO, order: type[Order], fill: type[Fill]) -> None:
        self._text = text
        self._order, self._fill = order, fill

    def rows(self) -> Iterator[JournalEntry | RefusedRow]:
        """Yield the journal's rows from the beginning.

        Raises JournalError, with the number of the line, for a line by which the file is no journal.
        """
        return read_journal(self._lines(), self._order, self._fill)

    def _lines(self) -> Iterator[str]:
        number = 1
        try:
            self._text.seek(0)
            # Bounded, because a file that is not a journal may be one endless line.
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
def open_journal(path: Path, order: type[Order] = Order, fill: type[Fill] = Fill) -> Generator[JournalFile, None, None]:
    """Open a journal for the duration of a context; a name that ends in ``.gz`` means that it is gzipped.

    ``order`` and ``fill`` are the classes whose own fields have columns of their own.

    Raises InvalidArgument when there is no such file, and for a line by which it is no journal.
    """
    if path.exists() and not path.is_file():
        raise InvalidArgument(f"{path} is not a regular file, and a journal is read twice")
    try:
        raw = path.open("rb")
    except OSError as error:
        raise InvalidArgument(f"{path} cannot be opened: {error.strerror}") from None
    with raw:
        data = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        # Bytes that are not UTF-8 become characters that no name may have, so that their row is refused.
        with io.TextIOWrapper(
            cast("io.BufferedReader", data), encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text:
            try:
                yield JournalFile(text, order, fill)
            except JournalError as error:
                raise InvalidArgument(f"{path}, {error}") from None
