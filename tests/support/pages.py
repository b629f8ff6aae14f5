"""The pages of docs/, and what runs the examples on them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .package import ROOT

DOCS = ROOT / "docs"
PAGES = {path.stem: path for path in sorted(DOCS.rglob("*.md")) if path.stem != "index"}
"""The file of each page, by its name, in whatever folder it is."""

README = ROOT / "README.md"


def text_of(name: str) -> str:
    """Return the text of a page, ``limits`` for example."""
    return PAGES[name].read_text(encoding="utf-8")


def blocks_of(text: str, language: str = "python") -> list[str]:
    """Return the blocks of code in one language, without those that have a title: they are files."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def files_of(text: str) -> dict[str, str]:
    """Return the blocks of code that have a title: files, which a reader writes beside the program."""
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', text, re.DOTALL | re.MULTILINE))


def promised_by(code: str) -> list[str]:
    """Return what a program says that it prints: the comments behind its prints, or alone on the line after one."""
    return [
        said.strip()
        for pair in re.findall(r"print\(.*\)(?:  # (.*)$|\n +# (.*)$)", code, re.MULTILINE)
        for said in pair
        if said
    ]


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of examples in a folder."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=folder)
