"""The page about journals has a row for each column that a journal may have."""

from __future__ import annotations

import re

from slotbook.models.journal import COLUMNS, MORE_COLUMNS

from .support.package import ROOT

PAGE = (ROOT / "docs" / "how-to" / "journals.md").read_text(encoding="utf-8")


def test_the_tables_name_every_column() -> None:
    tables = PAGE.partition("## Columns")[2].partition("A journal without")[0]
    cells = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == {*COLUMNS, *MORE_COLUMNS}
