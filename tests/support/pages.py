"""The pages of docs/, and what runs the examples on them and in the README."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from . import forked
from .package import ROOT

DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = {path.relative_to(DOCS).with_suffix("").as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
"""The file of each page, by its name: ``explanation/limits`` for example."""

PROGRAM = "import gc, sys; names = {'__name__': '__main__'}; exec(sys.stdin.read(), names); names.clear(); gc.collect()"
"""Runs a program and forgets all of it, so that Python tells what it did not close."""
SLOW = re.compile(r"Executing <.* took [\d.]+ seconds\n?")
"""A line of asyncio's in Python's development mode on a busy machine."""


def text_of(name: str) -> str:
    """Return the text of a page, ``explanation/limits`` for example."""
    return PAGES[name].read_text(encoding="utf-8")


def blocks_of(text: str, language: str = "python") -> list[str]:
    """Return the blocks of code in one language, without those that have a title: they are files."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def files_of(text: str) -> dict[str, str]:
    """Return the blocks of code that have a title: files, which a reader writes beside the program."""
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', text, re.DOTALL | re.MULTILINE))


def promised_by(code: str) -> list[str]:
    """Return what a program says that it prints: the comments behind its prints, or alone on the line after one."""
    found = re.findall(r"print\(.*\)(?:  # (.*)$|\n *# (.*)$)", code, re.MULTILINE)
    return [(behind or below).partition("  # ")[0] for behind, below in found]


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, in Python's development mode, where warnings are errors."""
    done = forked.run(PROGRAM, stdin=code, folder=folder, flags=("-X", "dev", "-W", "error"))
    done.stderr = SLOW.sub("", done.stderr)
    return done
