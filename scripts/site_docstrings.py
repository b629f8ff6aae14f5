"""Write docstrings in Markdown for the site (an extension of Griffe): no roles, and examples as blocks.

In the source they are as Python's own documentation writes them, which editors and ``help()`` show well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import griffe

ROLE = re.compile(r":(?:class|meth|func|mod|attr|data|exc):`~?(?:[\w.]*\.)?(\w+)`")
CONSOLE = re.compile(r"(?:^ *>>> .*\n(?:^(?! *$).*(?:\n|\Z))*)+", re.MULTILINE)
BLOCK = re.compile(r"^( *)(.*?):?::\n", re.MULTILINE)
PAGE = re.compile(r"\bdocs/([\w/-]+)\.md\b")


class Markdown(griffe.Extension):
    """Rewrites the docstrings of the package as they are loaded."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """Return a docstring in Markdown."""
    text = ROLE.sub(r"`\1`", text)
    text = BLOCK.sub(lambda found: f"{found[1]}{found[2]}{':' if found[2] else ''}\n", text)
    text = PAGE.sub(r"[\1](../../\1.md)", text)
    return CONSOLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)


def _modules(folder: Path) -> Iterator[Path]:
    """Yield the files of a package and of the packages in it."""
    for path in folder.iterdir():
        if path.suffix == ".py":
            yield path
        elif (path / "__init__.py").exists():
            yield from _modules(path)


def _submodules(self: griffe.ModuleFinder, module: griffe.Module) -> list[tuple[tuple[str, ...], Path]]:
    """Return the modules in a package, by their names in it, each package before what it holds."""
    path = Path(str(module.filepath))
    folder = path.parent if path.stem == "__init__" else path
    named = [(path.relative_to(folder).with_suffix("").parts, path) for path in _modules(folder)]
    found = [(parts[:-1] if parts[-1] == "__init__" else parts, path) for parts, path in named]
    return sorted((one for one in found if one[0]), key=lambda one: len(one[0]))


# Griffe itself would look at all files below a package's folder; below Slotbook's, the repository, is also .venv
griffe.ModuleFinder.submodules = _submodules
