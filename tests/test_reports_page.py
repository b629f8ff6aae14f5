"""The table of docs/how-to/reports.md knows every kind of report."""

from __future__ import annotations

import re

from slotbook.models import ExecType

from .support.pages import text_of


def test_the_table_has_every_kind_of_report() -> None:
    rows = re.findall(r"^\| (`.*?) \|", text_of("how-to/reports"), re.MULTILINE)
    named = re.findall(r"`([A-Z_]+)`", " ".join(rows))
    assert sorted(named) == sorted(ExecType)
