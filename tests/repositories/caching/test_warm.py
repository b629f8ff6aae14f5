"""Warm a cache from a source, and from an exchange's real directory with ``slotbook warm``."""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from slotbook.cli.app import run
from slotbook.cli.symbol_file import read_symbols
from slotbook.cli.warm import warm_symbols
from slotbook.models.errors import InvalidArgument, SourceFailed
from slotbook.repositories import Book
from slotbook.topology.call import slot_of

from ...support.fleet import Fleets
from ...support.make import NIGHTLY, fresh
from ...support.package import ROOT
from .conftest import CacheSetup, symbol

DIRECTORY = ROOT.parent / "shared/data/nasdaqtraded.txt.gz"
SYMBOLS = 8_527
SLOTS = 16_384

needs_the_directory = pytest.mark.skipif(not DIRECTORY.exists(), reason=f"there is no {DIRECTORY}")


@needs_the_directory
def test_the_real_directory_into_a_cluster(fleets: Fleets) -> None:
    """Spread the symbols evenly over slots and primaries.

    Each of 64 equal ranges of slots has as many as by chance (chi-square, 63 degrees of freedom, below its 99.9 %
    quantile), as many different slots are used as by chance (within 1 %), and each of the three primaries has a third
    (within 5 %).
    """
    url = fleets.of("cluster").url()  # without a prefix: the slots are those of everyday use, the same in every run
    infos = list(read_symbols(DIRECTORY))
    assert len({info.symbol for info in infos}) == len(infos) == SYMBOLS
    with Book.open(url) as book:
        report = warm_symbols(book, iter(infos), 1_000, resume=False, advance=lambda _: None)
        assert (report.symbols, report.written, report.equal) == (SYMBOLS, SYMBOLS, SYMBOLS)
        found = book.symbols.get_many([info.symbol for info in infos])
        assert [outcome.result() for outcome in found] == infos
        slots = [slot_of((book.symbols.key(info.symbol),)) for info in infos]
        again = warm_symbols(book, iter(infos), 1_000, resume=True, advance=lambda _: None)
        assert (again.written, again.kept, again.equal) == (0, SYMBOLS, SYMBOLS)
        assert book.symbols.invalidate_matching("*") == SYMBOLS
    ranges = Counter(slot * 64 // SLOTS for slot in slots)
    chi_square = sum((ranges[number] - SYMBOLS / 64) ** 2 / (SYMBOLS / 64) for number in range(64))
    different, by_chance = len(set(slots)), SLOTS * (1 - math.exp(SYMBOLS * math.log1p(-1 / SLOTS)))
    shares = Counter(slot * 3 // SLOTS for slot in slots)
    print(f"chi-square {chi_square:.1f}, {different} different slots ({by_chance:.0f} by chance), {shares}")
    assert chi_square < 103.4
    assert abs(different - by_chance) < 0.01 * by_chance
    assert max(shares.values()) < 1.05 * SYMBOLS / 3


@needs_the_directory
def test_the_command_prints_one_line(fleets: Fleets, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Warm the first 900 symbols, or with ``SLOTBOOK_NIGHTLY=1`` all of them."""
    url = fleets.of("cluster").url({"prefix": fresh("w") + ":"})
    file, count = DIRECTORY, SYMBOLS
    if not NIGHTLY:
        file, count = tmp_path / "some.txt.gz", 900
        with gzip.open(DIRECTORY, "rt") as lines:
            file.write_bytes(gzip.compress("".join(islice(lines, count + 1)).encode()))
    assert run(["warm", str(file), "--url", url, "--batch", "700"]) == 0
    out = capsys.readouterr().out
    said = f"{count:,} symbols: {count:,} written, 0 there already, {count:,} read back equal"
    assert re.fullmatch(rf"{said}, in [\d,]+ slots, in [\d.]+ s\n", out)
    assert run(["warm", str(file), "--url", url, "--resume", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["symbols"], report["written"], report["kept"], report["equal"]) == (count, 0, count, count)
    with Book.open(url) as book:
        assert book.symbols.invalidate_matching("*") == count


HEADER = "Nasdaq Traded|Symbol|Security Name|Listing Exchange|Round Lot Size\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a|b\n", "has no column 'Listing Exchange'"),
        (HEADER + "Y|A{B|Name|N|100\n", "line 2: symbol 'A{B'"),
        (HEADER + "Y|A|Name|N|100\nY|B|Name|N|some\n", "line 3: lot_size 'some'"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_written(
    standalone: CacheSetup, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file = tmp_path / "bad.txt"
    file.write_text(text)
    with pytest.raises(InvalidArgument, match=re.escape(said)):
        list(read_symbols(file))
    assert run(["warm", str(file), "--url", standalone.url()]) == 1
    assert said in capsys.readouterr().err
    assert standalone.symbols().invalidate_matching("*") == 0


def test_a_file_that_is_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "cut.txt.gz"
    file.write_bytes(gzip.compress((HEADER + "Y|A|Name|N|100\n" * 50).encode())[:-12])
    with pytest.raises(InvalidArgument, match="cannot be read"):
        list(read_symbols(file))


def test_warm_loads_everything_a_batch_at_a_time(caches: CacheSetup) -> None:
    caches.database.rows = {f"S{number:03}": symbol(f"S{number:03}") for number in range(250)}
    symbols, steps = caches.symbols(), list[int]()
    warmed = symbols.warm(batch=100, progress=steps.append)
    assert (warmed.loaded, warmed.kept, warmed.absent, warmed.last) == (250, 0, 0, "S249")
    assert ([len(keys) for keys in caches.database.loads], steps) == ([100, 100, 50], [100, 100, 50])
    found = symbols.get_many(list(caches.database.rows))
    assert [outcome.result() for outcome in found] == list(caches.database.rows.values())
    assert symbols.warm(["S001", "NONE"]).absent == 1


def test_warm_goes_on_where_it_was_interrupted(caches: CacheSetup) -> None:
    caches.database.rows = {f"S{number:03}": symbol(f"S{number:03}") for number in range(250)}
    symbols, done = caches.symbols(), list[int]()

    def stop_after_two(steps: int) -> None:
        done.append(steps)
        if len(done) == 2:
            caches.database.broken = OSError("away")

    with pytest.raises(SourceFailed):
        symbols.warm(batch=100, progress=stop_after_two)
    caches.database.broken = None
    warmed = symbols.warm(batch=100, only_missing=True)
    assert (warmed.loaded, warmed.kept) == (50, 200)
    assert symbols.warm(after="S239").loaded == 10
