"""Which desks a test is run on: a slip in tests/conftest.py would leave out cases, and nothing would say so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from .support import forked
from .support.package import ROOT

SMALL = """
import pytest
from tests.conftest import CALLERS, DESKS
from tests.support.desk import on_one_server

cases = pytest.mark.parametrize("case", list("abcdefgh"))
on_two = pytest.mark.parametrize("desk", [("cluster", "sync"), ("sentinel", "sync")], ids="-".join, indirect=True)

@pytest.fixture(params=DESKS, ids="-".join)
def stand(): ...

@pytest.fixture(params=CALLERS)
def lone_stand(): ...

def test_desk_1(desk): ...

def test_desk_2(desk): ...

def test_desk_4(desk): ...

@cases
def test_desk_cases(desk, case): ...

def test_stand(stand): ...

@cases
def test_stand_cases(stand, case): ...

def test_lone_desk(lone_desk): ...

@cases
def test_lone_desk_cases(lone_desk, case): ...

@pytest.mark.parametrize("case", ["a"])
def test_lone_desk_case(lone_desk, case): ...

def test_lone_stand(lone_stand): ...

@cases
def test_lone_stand_cases(lone_stand, case): ...

@on_one_server
def test_on_one(desk): ...

@on_one_server
@cases
def test_on_one_cases(desk, case): ...

@on_two
def test_on_two(desk): ...

@on_two
@cases
def test_on_two_cases(desk, case): ...

def test_alone(): ...

@cases
def test_alone_cases(case): ...
"""
CALLERS = ["sync", "asyncio"]
DESKS = [f"{topology}-{caller}" for topology in ("standalone", "sentinel", "cluster") for caller in CALLERS]
PAIRS = [
    ["standalone-sync", "cluster-asyncio"],
    ["sentinel-sync", "standalone-asyncio"],
    ["cluster-sync", "sentinel-asyncio"],
]
TWO = ["cluster-sync", "sentinel-sync"]
ON_ONE = ["standalone-sync", "standalone-asyncio"]
POSSIBLE = {"desk": DESKS, "stand": DESKS, "lone": CALLERS, "on_one": ON_ONE, "on_two": TWO, "alone": [""]}
"""The desks of a test, by how the name of the test begins."""
NAME = re.compile(r"test_small\.py::(test_(desk|stand|lone|on_one|on_two|alone)\w*)(?:\[(.*)\])?")
DESK = re.compile("|".join([*DESKS, *CALLERS]))


def collected(folder: Path, *words: str, every_desk: bool = False) -> list[str]:
    """Return the tests of the small file that pytest would run."""
    (folder / "test_small.py").write_text(SMALL, encoding="utf-8")
    options = ("--collect-only", "-q", "--rootdir", str(folder), "-p", "tests.conftest", "-p", "no:cacheprovider")
    said = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    said |= {"SLOTBOOK_EVERY_DESK": "1"} if every_desk else {}
    code = f"""
import os, sys
os.environ.pop("SLOTBOOK_EVERY_DESK", None)
os.environ.update({said!r})
sys.path.insert(0, {str(ROOT)!r})
import pytest
sys.exit(pytest.main({[*options, *(words or ["test_small.py"])]!r}))
"""
    done = forked.run(code, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("test_small.py::")]


def parts(test: str) -> tuple[str, str, str, str]:
    """Return the name of a test, what it begins with, the desk and the case: "" for none."""
    found = NAME.fullmatch(test)
    assert found, test
    name, begins, inside = found[1], found[2], found[3] or ""
    desk = found[0] if (found := DESK.search(inside)) else ""
    return name, begins, desk, inside.replace(desk, "", 1).strip("-")


def chosen(test: str) -> Sequence[str]:
    """Return the desks of those that are possible on which a test is run, or a case of it."""
    name, begins, desk, case = parts(test)
    possible = POSSIBLE[begins]
    number = crc32(test.replace(desk, "", 1).encode())
    if begins == "desk":
        by_test = PAIRS[crc32(f"test_small.py::{name}".encode()) % len(PAIRS)]
        return [possible[number % len(possible)]] if case else by_test
    if begins == "stand":
        return PAIRS[number % len(PAIRS)]
    return [possible[number % len(possible)]] if case and begins in ("lone", "on_one") else possible


def test_each_case_is_run_on_the_desk_that_its_name_says_and_each_other_test_on_its_pair(tmp_path: Path) -> None:
    every = collected(tmp_path, every_desk=True)
    assert len(every) == len(set(every))
    names = {(name, begins) for name, begins, *_ in map(parts, every)}
    assert len(names) == SMALL.count("def test_")
    assert sorted(map(parts, every)) == sorted(
        (name, begins, desk, case)
        for name, begins in names
        for desk in POSSIBLE[begins]
        for case in {"cases": "abcdefgh", "case": "a"}.get(name.rpartition("_")[2], [""])
    )
    assert all(any(chosen(test) == pair for test in every) for pair in PAIRS), "the small file lacks a pair"
    assert sorted(collected(tmp_path)) == sorted(test for test in every if parts(test)[2] in chosen(test))
    other = [test for test in every if parts(test)[2] not in chosen(test)]
    assert {parts(test)[1] for test in other} == {"desk", "stand", "lone", "on_one"}
    assert collected(tmp_path, *other) == other, "what is named with its brackets is run on any desk"
