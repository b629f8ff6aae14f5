"""The examples of docs/how-to/redis-om.md run, in their order on the page."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from ...support.pages import blocks_of, text_of
from ...support.search.server import SERVER, searching

DOCUMENT = text_of("how-to/redis-om")
BLOCKS = blocks_of(DOCUMENT)


@searching
@pytest.mark.parametrize("topology", ["standalone", "cluster", "sentinel"])
def test_every_example_holds(topology: str) -> None:
    code = "".join(BLOCKS).replace("embedded://standalone?server=SERVER", f"embedded://{topology}?server={SERVER}")
    if topology != "standalone":  # redis-om itself knows one server only
        code = code.replace(BLOCKS[-2], "")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_every_kind_of_query_has_its_example() -> None:
    kinds = DOCUMENT.partition("## Every kind of query")[2].partition("\n## ")[0]
    anchors = re.findall(r"\]\(#([a-z-]+)\)", kinds)
    headings = {
        re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^### (.*)$", DOCUMENT, re.M)
    }
    assert set(anchors) == headings
    for heading in re.split(r"^### ", DOCUMENT, flags=re.MULTILINE)[1:]:
        assert "```python" in heading
