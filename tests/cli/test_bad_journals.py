"""A file that is no journal changes nothing and is answered in one line."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import slotbook

from .conftest import Cli, Journal
from .test_replay import DAY

Refused = Callable[[Path], str]


@pytest.fixture
def refused(cli: Cli, url: str) -> Refused:
    """Return a function that replays a file which must be refused, and returns the error line."""

    def replay(path: Path) -> str:
        done = cli("replay", path, "--url", url, "--batch", 1, "--json")
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        with slotbook.connect(url) as book:
            assert book.orders.count("T001") == book.orders.count("T002") == 0
            assert book.positions.totals() == {}
        return done.err

    return replay


@pytest.mark.parametrize("name", ["journal.csv", "journal.csv.gz"])
def test_one_row_with_a_column_too_many_at_the_end(refused: Refused, journal: Journal, name: str) -> None:
    path = journal(*DAY, "T001,NEW,A9,ESH4,BUY,10,4799,,", name=name)
    assert refused(path) == f"slotbook: {path}, line 9: has 11 columns in place of 10\n"


def test_a_last_line_cut_off_in_its_exec_id(refused: Refused, journal: Journal) -> None:
    path = journal(*DAY[:5])
    path.write_bytes(path.read_bytes()[:-2])
    assert refused(path).endswith("line 6: does not end with a newline, so it may have been cut off\n")


@pytest.mark.parametrize("left", [0.3, 0.9])
def test_a_gzip_file_cut_short(refused: Refused, journal: Journal, left: float) -> None:
    rows = [f"T001,NEW,{os.urandom(20).hex()},ESH4,BUY,1,4799," for _ in range(2_000)]
    path = journal(*rows, name="journal.csv.gz")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * left)])
    text = refused(path)
    assert text.endswith(": cannot be read: the gzip file is cut short\n")
    line = int(text.partition("line ")[2].partition(":")[0])
    assert abs(line - 2_000 * left) < 300


def test_a_gzip_file_without_its_last_bytes(refused: Refused, journal: Journal) -> None:
    path = journal(*DAY, name="journal.csv.gz")
    path.write_bytes(path.read_bytes()[:-4])
    assert refused(path).endswith("line 9: cannot be read: the gzip file is cut short\n")


def test_a_gzip_file_with_a_wrong_bit(refused: Refused, journal: Journal) -> None:
    path = journal(*DAY, name="journal.csv.gz")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1  # in the checksum
    path.write_bytes(data)
    assert "line 9: cannot be read: CRC check failed" in refused(path)


def test_not_gzipped(refused: Refused, journal: Journal) -> None:
    path = journal(*DAY).rename(journal(*DAY).with_name("plain.csv.gz"))
    assert "line 1: cannot be read: Not a gzipped file" in refused(path)


def test_gzipped_under_a_plain_name(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    path.write_bytes(gzip.compress(b"seq"))
    assert "line 1: " in refused(path)


def test_one_endless_line(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    path.write_bytes(b"x" * 200_000)
    assert refused(path).endswith("line 1: is longer than 65,536 characters\n")


def test_an_empty_file(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    path.touch()
    assert "line 1: the header must be seq," in refused(path)


def test_no_file(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    assert refused(path) == f"slotbook: {path} cannot be opened: No such file or directory\n"


def test_a_folder(refused: Refused, tmp_path: Path) -> None:
    assert refused(tmp_path).endswith("is not a regular file, and a journal is read twice\n")


def test_a_pipe(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    os.mkfifo(path)
    assert refused(path).endswith("is not a regular file, and a journal is read twice\n")
