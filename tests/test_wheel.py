"""The wheel holds the whole package and nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

from .support.installed import build_wheel
from .support.package import MODULES, ROOT, SCRIPTS


def test_the_wheel_holds_every_module_and_every_script(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"slotbook/{path.relative_to(ROOT).as_posix()}" for path in (*MODULES.values(), *SCRIPTS)}
    expected |= {f"slotbook/{path.relative_to(ROOT).as_posix()}" for path in ROOT.glob("web/page/*")}
    assert held == expected | {"slotbook/__main__.py", "slotbook/py.typed"}
