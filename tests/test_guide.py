"""CONTRIBUTING.md and the pages of docs/ name files, sessions and versions that exist."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest
import slotbook

from .support.package import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OTHERS = ("CONTRIBUTING", "README", "SECURITY", "docker/README", "examples/order_service/README")
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (*(ROOT / f"{name}.md" for name in OTHERS), *ROOT.glob("docs/**/*.md"))
}
TO_BE_WRITTEN = {
    "repositories/changes/lua/suspend.lua",
    "tests/repositories/orders/test_suspend.py",
    "site/index.html",
}
"""Files of the guide's example, a verb that does not exist, and the site that is yet to be built."""


PART_OF_TESTS = {"docs"}
"""A session whose tests are all in the one named ``tests``, so CI does not run it as well."""


def sessions() -> set[str]:
    """Return the names of the sessions in noxfile.py."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        node.name
        for node in functions
        if any(ast.unparse(decorator).startswith("nox.session") for decorator in node.decorator_list)
    }


def test_the_guide_names_every_session() -> None:
    (named,) = re.findall(r"nox -s ((?:\w+ )+) +#", GUIDE)
    assert set(named.split()) | PART_OF_TESTS == sessions()


def test_ci_runs_every_session() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    run = {word for words in re.findall(r"^ *session ((?:[a-z]+ ?)+)", script, re.MULTILINE) for word in words.split()}
    assert run | PART_OF_TESTS == sessions()


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page: str) -> None:
    path = PAGES[page]
    text = path.read_text(encoding="utf-8")
    links = {(path.parent / link).resolve() for link in re.findall(r"\]\(([^)#:]+)\)", text)}
    named = {ROOT / name for name in re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.\w+)`", text) if name not in TO_BE_WRITTEN}
    in_rooms = {name for name in named if (ROOT / "repositories" / name.relative_to(ROOT)).exists()}
    missing = [str(one) for one in (links | named) - in_rooms if not one.exists()]
    assert missing == []


def test_the_guide_lists_the_files_of_a_verb() -> None:
    """Every hand-written file of the package that names one verb is in the guide's table."""
    table = GUIDE.partition("## Add a verb")[2].partition("## ")[0]
    named = {
        path.relative_to(ROOT).as_posix()
        for room in ("models", "topology", "repositories", "cli")
        for path in (ROOT / room).rglob("*.py")
        if "_sync" not in path.with_suffix("").parts
        and re.search(r"\b(Expire|EXPIRE)\b", path.read_text(encoding="utf-8"))
        and path.name != "__init__.py"
    }
    assert named == {"models/order.py", "repositories/orders/closings/_async.py", "repositories/orders/verbs.py"}
    assert [name for name in named if f"`{name}`" not in table] == []


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == slotbook.__version__
    assert f"## {slotbook.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
