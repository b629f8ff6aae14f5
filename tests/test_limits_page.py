"""The examples of docs/limits.md run, in their order on the page."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .support.package import ROOT

DOCUMENT = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("topology", ["standalone", "cluster"])
def test_every_example_of_limits_holds(topology: str) -> None:
    assert len(BLOCKS) == 2
    code = "".join(BLOCKS).replace("embedded://standalone", f"embedded://{topology}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"print\(.*\)  # (.*)\n", code)
    assert done.stdout.splitlines() == said
