"""The command ``slotbook warm``, which writes an exchange's symbol directory to the book and reads it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ..models.symbol import SymbolInfo
from ..repositories import Book
from ..topology.call import slot_of
from .options import AsJson, NewUrl, settings_of
from .output import print_json, screen
from .progress import advancing, bars
from .symbol_file import read_symbols


@dataclass(slots=True)
class WarmReport:
    """The counts of one run of ``slotbook warm``."""

    symbols: int = 0
    written: int = 0
    kept: int = 0
    """Symbols that were stored already and are the same."""
    equal: int = 0
    """Symbols that were read back and are the same as in the file."""
    slots: int = 0
    """The number of hash slots that they are in, of 16,384."""
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.symbols:,} symbols: {self.written:,} written, {self.kept:,} there already, {self.equal:,} read "
            f"back equal, in {self.slots:,} slots, in {self.seconds:.1f} s"
        )


def warm(
    file: Annotated[Path, typer.Argument(help="nasdaqtraded.txt, gzipped if it ends in .gz.", show_default=False)],
    url: NewUrl = None,
    batch: Annotated[int, typer.Option(min=1, max=100_000, help="Symbols that are sent at a time.")] = 1_000,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave alone what is there already and the same, as after an interruption.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write an exchange's symbols to the book and read each of them back; a second run writes them all again.

    Only one batch is held in memory. Exits with 1 when a symbol that was read back differs from the file.
    """
    total = sum(1 for _ in read_symbols(file))  # so that a bad line is found before anything is written
    with Book.open(settings_of(url, 60.0)) as book, bars() as progress:
        advance = advancing(progress, progress.add_task("warming", total=total))
        report = warm_symbols(book, read_symbols(file), batch, resume, advance)
    if as_json:
        print_json(asdict(report))
    else:
        screen().print(str(report), style="bold green" if report.equal == report.symbols else "bold red")
    if report.equal != report.symbols:
        raise typer.Exit(1)


def warm_symbols(
    book: Book, symbols: Iterator[SymbolInfo], batch: int, resume: bool, advance: Callable[[int], None]
) -> WarmReport:
    """Write symbols and read them back, a batch at a time.

    Args:
        book: The book to write to.
        symbols: The symbols, of which only one batch is held in memory.
        batch: The number of symbols in a batch.
        resume: Leave alone the symbols that are stored already and are the same.
        advance: Called with the number of symbols of each batch.

    Raises:
        SlotbookError: When a call fails.
    """
    report = WarmReport()
    started = time.monotonic()
    slots: set[int] = set()
    while page := list(islice(symbols, batch)):
        stored = _read(book, page) if resume else [None] * len(page)
        missing = [info for info, known in zip(page, stored, strict=True) if info != known]
        for outcome in book.symbols.put_many(missing):
            outcome.result()
        report.symbols += len(page)
        report.written += len(missing)
        report.kept += len(page) - len(missing)
        report.equal += sum(info == found for info, found in zip(page, _read(book, page), strict=True))
        slots.update(slot_of((book.symbols.key(info.symbol),)) for info in page)
        advance(len(page))
    report.slots = len(slots)
    report.seconds = time.monotonic() - started
    return report


def _read(book: Book, page: list[SymbolInfo]) -> list[SymbolInfo | None]:
    return [outcome.result() for outcome in book.symbols.get_many([info.symbol for info in page])]
