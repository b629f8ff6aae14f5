"""The tables of docs/reference/ have every verb, setting, command, error, extra and public class, and no other."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import slotbook
from slotbook import Settings, errors
from slotbook.cli.commands import COMMANDS
from slotbook.repositories import (
    AcquiredLock,
    Auditor,
    Book,
    Find,
    LimitsRepository,
    Lock,
    OrderEventRepository,
    OrderRepository,
    PositionRepository,
    RateLimiter,
    ReferenceTable,
    SearchIndexes,
    SessionRepository,
    Table,
    ValueRepository,
    sql,
)
from slotbook.repositories.records.ranges._sync import Ranges

from .support.package import ROOT
from .support.pages import DOCS, blocks_of, text_of

VERBS = (
    Book,
    OrderRepository,
    PositionRepository,
    LimitsRepository,
    Table,
    Ranges,
    ReferenceTable,
    OrderEventRepository,
    ValueRepository,
    SessionRepository,
    RateLimiter,
    Lock,
    AcquiredLock,
    Find,
    SearchIndexes,
    Auditor,
)
NO_VERBS = {"from_url", "close", "remaining", "cache", "lock", "limiter", "table", "reference"}
"""Methods that ask no server, or that lead to a repository whose verbs they are."""


ELSEWHERE = {"errors", "Book", "AsyncBook", "SlotbookError"}
"""Names of ``slotbook`` that are shown by another name of theirs."""


def table_of(page: str, head: str) -> str:
    """Return the rows of a page's table below its head."""
    return text_of(f"reference/{page}").split(head)[1].split("\n\n")[0]


def test_every_setting_is_in_the_table() -> None:
    table = table_of("settings", "| setting | default | meaning |")
    named = {name for row in table.splitlines() for name in re.findall(r"`([a-z_]+)`", row.split(" | ")[0])}
    assert named == set(Settings.model_fields) - {"url"}


def test_every_verb_is_in_the_table() -> None:
    named = set(re.findall(r"`([a-z_]+)`", table_of("verbs", "| repository | verbs |")))
    verbs = {
        name
        for repository in VERBS
        for kind in repository.__mro__
        for name in vars(kind)
        if not name.startswith("_") and name not in NO_VERBS
    }
    assert named == verbs


def test_the_console_commands_are_those_that_exist() -> None:
    lines = [line for block in blocks_of(text_of("reference/commands"), "console") for line in block.splitlines()]
    assert {line.split()[1] for line in lines if line.startswith("slotbook ")} == {one.name for one in COMMANDS}


def test_every_command_is_shown_on_a_screen_that_it_fits() -> None:
    page = text_of("reference/screens")
    screens = re.findall(r"^## `slotbook ([^\n]+)`\n\n```text\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    assert {line.split()[0] for line, _ in screens} == {"--help", *(one.name for one in COMMANDS)}
    for line, screen in screens:
        rows = screen.splitlines()
        assert rows, line
        assert max(map(len, rows)) <= 80, line
        assert len(rows) <= 30 or "--help" in line
        assert "Traceback" not in screen, line
        assert line == "serve" or not screen.startswith("slotbook: "), f"{line} fails"


def test_every_extra_is_in_the_table() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"^\| `(\w+)` \|", table_of("settings", "| extra | brings |"), re.MULTILINE)
    extras: dict[str, list[str]] = project["optional-dependencies"]
    assert sorted(named) == sorted(extras)
    brought = {name: set(re.findall("[a-z]+", "".join(map(extras_in, extras[name])))) for name in extras}
    assert brought["dev"] == set(extras) - {"all", "dev"}
    row = next(line for line in table_of("settings", "| extra | brings |").splitlines() if line.startswith("| `all`"))
    assert brought["all"] == set(re.findall(r"`(\w+)`", row)) - {"all"}


def extras_in(requirement: str) -> str:
    """Return the extras of our own that a requirement asks for, or nothing."""
    return requirement[9:-1] if requirement.startswith("slotbook[") else ""


def below(kind: type[errors.SlotbookError]) -> Iterator[type[errors.SlotbookError]]:
    """Yield the public classes of errors below one."""
    for child in kind.__subclasses__():
        if hasattr(errors, child.__name__):
            yield child
        yield from below(child)


def test_every_error_is_in_the_table() -> None:
    table = table_of("errors", "| you get | it means | do |")
    named = {name for row in table.splitlines() for name in re.findall(r"`([A-Z]\w+)`", row.split(" | ")[0])}
    leaves = {kind.__name__ for kind in below(errors.SlotbookError) if not kind.__subclasses__()}
    assert leaves - named == set()
    assert [name for name in named if not hasattr(errors, name)] == []


def test_every_public_class_has_its_signatures_on_a_page() -> None:
    pages = [path.read_text(encoding="utf-8") for path in (DOCS / "reference" / "classes").glob("*.md")]
    shown = [name for page in pages for name in re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE)]
    assert sorted(set(shown)) == sorted(shown)
    public = {
        *(f"slotbook.repositories.{name}" for name in slotbook.repositories.__all__),
        *(f"slotbook.repositories.sql.{name}" for name in sql.__all__),
        *(f"slotbook.models.errors.{kind.__name__}" for kind in below(errors.SlotbookError)),
        "slotbook.models.errors.SlotbookError",
        *(f"slotbook.{name}" for name in slotbook.__all__ if name not in ELSEWHERE),
    }
    assert set(shown) == public
