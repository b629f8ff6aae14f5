"""The command ``slotbook migrate``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from slotbook import Book, Entity, Key
from slotbook.models.types import Name

from ..support.fleet import Fleets
from ..support.make import fresh
from ..support.schemas import First
from .conftest import Cli

MODELS = """
from typing import Annotated
from slotbook import Entity, Index, Key
from slotbook.models.types import Name

def with_desk(fields):
    return {name: text for name, text in fields.items() if name in ("trader", "lot_id")} | {"desk": fields["account"]}

class Lot(Entity, kind="lot", schema=2, upgrade={1: with_desk}):
    trader: Name
    lot_id: Annotated[Name, Key]
    desk: Annotated[Name, Index]

class Venue(Entity, kind="venue", schema=2, upgrade={1: lambda fields: {**fields, "city": "Oslo"}}):
    mic: Annotated[Name, Key]
    city: str

class Strict(Lot, kind="lot", schema=3, upgrade={1: with_desk, 2: lambda fields: {}}):
    pass
"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the name of a module of a desk in the current folder."""
    name = fresh("m").replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODELS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


@pytest.fixture
def url(fleets: Fleets) -> str:
    """Return the URL of a book of its own, in which two traders have records of the first schema."""
    found = fleets.of("standalone").url({"prefix": fresh("cli") + ":"})
    with Book.open(found) as book:
        for trader in ("T1", "T2"):
            book.table(First).insert(First(trader=trader, lot_id="L1"))
    return found


def test_it_migrates_all_and_says_so(cli: Cli, models: str, url: str) -> None:
    done = cli("migrate", f"{models}:Lot", "--url", url, "--trader", "T2", "--json")
    assert done.json() == {"total": 1, "traders": 1, "current": 0, "rewritten": 1, "left": [], "unknown": []}
    done = cli("migrate", f"{models}:Lot", "--url", url)
    assert (done.code, done.err) == (0, "")
    assert "traders: 2, done before: 1, records brought to schema 2: 1, left: 0" in done.out


def test_what_is_left_is_shown(cli: Cli, models: str, url: str) -> None:
    done = cli("migrate", f"{models}:Strict", "--url", url)
    assert (done.code, done.err) == (1, "")
    assert "T1" in done.out
    assert "is missing" in done.out
    assert "records brought to schema 3: 0, left: 2" in done.out
    done = cli("migrate", f"{models}:Strict", "--url", url, "--json")
    assert done.code == 1
    assert [(one["trader"], one["key"]) for one in json.loads(done.out)["left"]] == [("T1", "L1"), ("T2", "L1")]


def test_records_without_a_trader_are_migrated_too(cli: Cli, models: str, url: str) -> None:
    class Venue(Entity, kind="venue"):
        mic: Annotated[Name, Key]

    with Book.open(url) as book:
        book.reference(Venue).insert_many([Venue(mic="XOSL"), Venue(mic="XBRG")])
    done = cli("migrate", f"{models}:Venue", "--url", url, "--json")
    assert done.json() == {"total": 0, "traders": 0, "current": 0, "rewritten": 2, "left": [], "unknown": []}
    done = cli("migrate", f"{models}:Venue", "--url", url)
    assert (done.code, done.err) == (0, "")
    assert "records brought to schema 2: 0, left: 0" in done.out


def test_a_misspelt_trader_is_told(cli: Cli, models: str, url: str) -> None:
    done = cli("migrate", f"{models}:Lot", "--url", url, "--trader", "T1", "--trader", "T9")
    assert (done.code, done.err) == (1, "")
    assert "records brought to schema 2: 1, left: 0" in done.out
    assert "nothing is stored of T9" in done.out


def test_a_newer_schema_is_an_error_in_one_line(cli: Cli, models: str, url: str) -> None:
    assert cli("migrate", f"{models}:Lot", "--url", url).code == 0
    with Book.open(url) as book, pytest.raises(Exception, match="of schema 2, and First is of schema 1 here"):
        book.table(First).migrate()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Venue --trader T1", "has no trader, so its records are none of T1"),
        ("Lott", "has no model Lott; the nearest is Lot"),
    ],
)
def test_what_cannot_be_migrated_is_bad_usage(cli: Cli, models: str, url: str, name: str, problem: str) -> None:
    done = cli("migrate", *f"{models}:{name}".split(" "), "--url", url)
    assert (done.code, done.out) == (2, "")
    assert problem in done.err


def test_an_embedded_book_has_nothing_to_migrate(cli: Cli, models: str) -> None:
    assert cli("migrate", f"{models}:Lot", "--url", "embedded://standalone").code == 2
