"""Run what docs/positions.md shows."""

from __future__ import annotations

import re
import subprocess
import sys

from .support.package import ROOT


def test_the_example_runs() -> None:
    page = (ROOT / "docs" / "positions.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT.parent)
    assert (done.returncode, done.stderr) == (0, "")
