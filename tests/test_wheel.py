"""The wheel holds the whole package and nothing else; the source distribution holds the whole repository."""

from __future__ import annotations

import re
import subprocess
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

from .support.installed import build_sdist, build_wheel, packaged_files
from .support.package import MODULES, ROOT, SCRIPTS

WRITTEN_BY_THE_BUILD = {"PKG-INFO", "setup.cfg"}


def test_the_wheel_holds_every_module_and_every_script(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"slotbook/{path.relative_to(ROOT).as_posix()}" for path in (*MODULES.values(), *SCRIPTS)}
    expected |= {f"slotbook/{path.relative_to(ROOT).as_posix()}" for path in ROOT.glob("web/page/*")}
    assert held == expected | {"slotbook/__main__.py", "slotbook/py.typed"}


def test_the_source_distribution_holds_every_file_of_the_repository(tmp_path: Path) -> None:
    sdist = build_sdist(tmp_path)
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    held = {name for name in names - WRITTEN_BY_THE_BUILD if ".egg-info/" not in name}
    assert held == _files_of_the_repository()


def test_a_link_of_the_description_leads_to_the_release_in_the_public_repository(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        described = message_from_bytes(archive.read(metadata))
    (source,) = (url.partition(", ")[2] for url in described.get_all("Project-URL", []) if url.startswith("Source,"))
    targets: list[str] = re.findall(r"\]\(([^)\s]+)\)", str(described.get_payload()))
    assert f"{source}/blob/v{described['Version']}/CHANGELOG.md" in targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def _files_of_the_repository() -> set[str]:
    """Return the files that are kept; in an unpacked source distribution, those that came with it."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return set(listed.splitlines())
    return {file.relative_to(ROOT).as_posix() for file in packaged_files()} - WRITTEN_BY_THE_BUILD
