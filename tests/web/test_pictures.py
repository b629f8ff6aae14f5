"""The pictures of the blotter in the docs are small, and can be made anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..support.browser import CHROMIUM
from ..support.package import ROOT

LARGEST = 150_000


def test_pictures_are_small_and_shown() -> None:
    page = (ROOT / "docs/how-to/blotter.md").read_text(encoding="utf-8")
    pictures = sorted((ROOT / "docs/pictures").glob("blotter*.png"))
    assert len(pictures) == 3
    for picture in pictures:
        assert picture.stat().st_size <= LARGEST
        assert f"../pictures/{picture.name}" in page


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Debian's package chromium")
def test_pictures_are_made_anew(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/blotter_pictures.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = {picture.name for picture in tmp_path.glob("*.png")}
    assert made == {picture.name for picture in (ROOT / "docs/pictures").glob("blotter*.png")}
