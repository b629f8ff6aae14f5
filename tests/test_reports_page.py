"""The examples of docs/reports.md run, and its table knows every kind of report."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from slotbook.models import ExecType

from .support.package import ROOT

DOCUMENT = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("topology", ["standalone", "cluster"])
def test_the_example_holds(topology: str) -> None:
    assert len(BLOCKS) == 1
    code = "".join(BLOCKS).replace("embedded://standalone", f"embedded://{topology}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_table_has_every_kind_of_report() -> None:
    rows = re.findall(r"^\| (`.*?) \|", DOCUMENT, re.MULTILINE)
    named = re.findall(r"`([A-Z_]+)`", " ".join(rows))
    assert sorted(named) == sorted(ExecType)
