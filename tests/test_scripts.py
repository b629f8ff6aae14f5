"""Lua scripts and generated modules: what each declares, and that nothing is left over."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from slotbook.repositories.changes.scripts import SHORT_WAYS, STEPS, engine
from slotbook.repositories.changes.scripts import load as load_for_a_book
from slotbook.topology.scripts import Script, load, sections

from .support.package import MODULES, ROOT, SCRIPTS, each

SHARED = [path for path in SCRIPTS if path.read_text(encoding="utf-8").startswith("-- Shared: ")]
"""Scripts that others share, whatever they take."""
OF_THE_ENGINE = [path for path in SCRIPTS if path.read_text(encoding="utf-8").startswith("-- Of the engine: ")]
"""Parts of the engine, which use its keys and arguments."""
PARTS = [*SHARED, *OF_THE_ENGINE]
"""Scripts that are part of others; the rest is sent to servers."""
WHOLE = [path for path in SCRIPTS if path not in PARTS]


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.stem}"


every_part = each(PARTS)
every_script = each(WHOLE)


def _body(text: str) -> str:
    return re.sub(r"--.*", "", text[text.index("\n\n") :])


def test_scripts_are_found() -> None:
    assert len(WHOLE) >= 40
    assert len(PARTS) > 10
    rooms = {path.parent.parent.name for path in SCRIPTS}
    assert rooms == {
        "audit",
        "book",
        "caching",
        "changes",
        "coordination",
        "events",
        "orders",
        "positions",
        "records",
        "references",
    }


@pytest.mark.parametrize("command", ["KEYS", "FLUSHALL", "FLUSHDB"])
def test_nothing_walks_or_empties_a_whole_server(command: str) -> None:
    sent = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        # The loader reads the word KEYS in a script's comment; the names of some keys of own records end with it; the
        # benchmark empties servers of its own; a doctor asks if a user may do it, and reads "keys" in INFO.
        if name not in ("slotbook.topology.scripts", "slotbook.models.entity", "slotbook.bench.recorder")
        and name not in ("slotbook.repositories.doctor.needs", "slotbook.repositories.doctor.slots")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.upper() == command
    ]
    called = [
        path.name
        for path in SCRIPTS
        if re.search(rf"call\(\s*['\"]{command}['\"]", path.read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert sent + called == []


@every_script
def test_a_script_says_what_it_takes_and_returns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    head, body = text[: text.index("\n\n")], _body(text)
    if path.stem == "engine":
        body += "".join(_body(part.read_text(encoding="utf-8")) for part in OF_THE_ENGINE)
    assert re.search(r"^-- Returns \S", head, re.MULTILINE)
    declared = sections(text)
    for kind in ("KEYS", "ARGV"):
        names = declared.get(kind, ())
        plain = {name.removesuffix("?") for name in names if not name.endswith("...")}
        lists = {name.removesuffix("...") for name in names if name.endswith("...")}
        named = set(re.findall(rf"\b{kind}\.(\w+)", body))
        assert named == plain or (path.stem in SHORT_WAYS.values() and named < plain), f"{kind} of {path.name}"
        begun = set(re.findall(r"\bFIRST\.(\w+)", body))
        assert lists <= begun or (kind == "KEYS" and re.search(r"\bKEYS\b", body))


@each(SHORT_WAYS)
def test_a_short_way_takes_what_the_engine_takes(step: str) -> None:
    short, engine = (
        sections((ROOT / "repositories" / "changes" / "lua" / f"{name}.lua").read_text(encoding="utf-8"))
        for name in (SHORT_WAYS[step], "engine")
    )
    _, words = STEPS[step]
    assert short["KEYS"] == engine["KEYS"]
    if short["ARGV"] == engine["ARGV"]:
        return  # it takes several steps
    assert short["ARGV"][: len(engine["ARGV"]) - 1] == engine["ARGV"][:-1]
    assert len(short["ARGV"]) == len(engine["ARGV"]) + words + 1


@each(SCRIPTS)
def test_keys_and_arguments_have_names(path: Path) -> None:
    assert re.findall(r"\b(?:KEYS|ARGV)\[[0-9#]", _body(path.read_text(encoding="utf-8"))) == []


@every_part
def test_a_shared_part_only_declares(path: Path) -> None:
    """A part that ran or returned something would do so before the script that uses it says a word."""
    body = _body(path.read_text(encoding="utf-8"))
    assert path in OF_THE_ENGINE or not re.search(r"\b(KEYS|ARGV|FIRST)\b", body)
    outside = [line for line in body.splitlines() if line and not line[0].isspace() and line[0] not in "})"]
    assert [line for line in outside if not line.startswith("local ") and line != "end"] == []


@each(SCRIPTS)
def test_every_part_that_a_script_names_is_used(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for part in sections(text).get("Uses", ()):
        room, _, name = part.partition("/")
        shared = (ROOT / "repositories" / room / "lua" / f"{name}.lua").read_text(encoding="utf-8")
        offered = set(re.findall(r"^local (?:function )?(\w+)", shared, re.MULTILINE))
        named = {"write_book", *(function for function, _ in STEPS.values())} if path.stem == "engine" else set[str]()
        assert offered & (named | set(re.findall(r"\w+", _body(text)))), f"{_name(path)} uses nothing of {part}"


def test_every_script_is_loaded() -> None:
    loaded = {("changes", name) for name in SHORT_WAYS.values()}
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("load", "load_script")):
                words = [one.value for one in node.args if isinstance(one, ast.Constant)]
                loaded |= {(name.split(".")[2], str(word)) for word in words if name.count(".") > 1}
    used = {part for path in SCRIPTS for part in sections(path.read_text(encoding="utf-8")).get("Uses", ())}
    assert {_name(path) for path in PARTS} == used
    assert {(path.parent.parent.name, path.stem) for path in WHOLE} <= loaded


def test_values_are_put_in_order_by_name() -> None:
    script = Script("", "", ("order", "events", "lock?"), ("base", "fields..."))
    assert script.keys(lock="l", order="o", events="e") == ("o", "e", "l")
    assert script.keys(order="o", events="e", lock=None) == ("o", "e")
    assert script.keys(order="o", events="e", lock="") == ("o", "e", "")
    assert script.arguments(fields=["a", "1"], base="b") == ("b", "a", "1")
    assert Script("", "").keys() == ()
    for wrong in ({"order": "o"}, {"order": "o", "events": "e", "lock": "l", "key": "k"}):
        with pytest.raises(TypeError, match="argument"):
            script.keys(**wrong)


def test_a_name_that_a_script_does_not_declare_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "some_rooms" / "desk" / "lua"
    folder.mkdir(parents=True)
    (folder.parent.parent / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (folder / "right.lua").write_text("-- Take it.\n-- KEYS lock\n-- Returns 1\n\nreturn KEYS.lock\n", encoding="utf-8")
    assert load("some_rooms.desk", "right").source.strip() == "return KEYS[1]"
    lists = "-- Take them.\n-- KEYS lock\n--      others...\n-- ARGV token\n-- Returns 1\n\nreturn FIRST.others\n"
    (folder / "lists.lua").write_text(lists, encoding="utf-8")
    assert load("some_rooms.desk", "lists").source.strip() == "return 2"
    (folder / "wrong.lua").write_text("-- Take it.\n-- KEYS lock\n-- Returns 1\n\nreturn KEYS.look\n", encoding="utf-8")
    with pytest.raises(KeyError, match="look"):
        load("some_rooms.desk", "wrong").digest  # noqa: B018  # read now


def test_a_script_is_read_when_it_is_first_used_and_by_all_that_use_it_at_once() -> None:
    asked: list[Script] = []
    meeting = threading.Barrier(4)

    def read() -> Script:
        asked.append(Script("return 1", "d" * 40, ("lock",), ("value",)))
        meeting.wait(10)
        return asked[-1]

    script = Script.read_later(read)
    assert asked == []
    with pytest.raises(AttributeError, match="a script has no sourse"):
        getattr(script, "sourse")  # noqa: B009

    def keys_of(key: str) -> tuple[str, ...]:
        return script.keys(lock=key)

    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(keys_of, "abcd"))
    assert keys == [("a",), ("b",), ("c",), ("d",)]
    assert script == Script("return 1", "d" * 40, ("lock",), ("value",))
    assert (len(asked), script.arguments(value="t"), repr(script)) == (4, ("t",), "Script(dddddddd)")


def test_a_script_whose_reading_failed_is_read_again() -> None:
    tries = iter([OSError("no such file"), Script("return 1", "0")])

    def read() -> Script:
        given = next(tries)
        if isinstance(given, OSError):
            raise given
        return given

    script = Script.read_later(read)
    with pytest.raises(OSError, match="no such file"):
        script.digest  # noqa: B018
    assert (script.digest, script.source) == ("0", "return 1")


def test_the_engine_says_by_itself_when_it_was_stopped_and_others_are_guarded() -> None:
    assert "local function run_write" not in engine("place").source
    assert "local function run_write" in load_for_a_book("slotbook.repositories.coordination", "lock_acquire").source


def test_every_script_can_be_put_together() -> None:
    for path in WHOLE:
        if path.stem != "engine":  # which has names of its own for each kind of step
            script = load_for_a_book(f"slotbook.repositories.{path.parent.parent.name}", path.stem)
            assert len(script.digest) == 40, path


def test_the_version_for_threads_is_what_the_script_generates() -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/generate_sync.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "")


def _generator(root: Path, source: str) -> tuple[int, str]:
    """Return what the generator says of a package of one module that is written for asyncio."""
    for folder in ("scripts", "topology", "repositories/desk"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "scripts/generate_sync.py", root / "scripts")
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "repositories/desk/_async.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "scripts/generate_sync.py", "--check"]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


def test_the_generator_fails_on_what_is_missing_left_over_or_unused(tmp_path: Path) -> None:
    (tmp_path / "topology/_sync").mkdir(parents=True)
    (tmp_path / "topology/_sync/gone.py").touch()
    code, said = _generator(tmp_path, "async def get() -> None: ...\n")
    assert code == 1
    assert "topology/_sync/gone.py has no source any more: remove it" in said
    assert "repositories/desk/_sync.py is not what repositories/desk/_async.py generates" in said
    assert r"the rule '\\bStopAsyncIteration\\b' changes nothing: remove it" in said
    assert r"the rule '\\basync def\\b' changes nothing" not in said


def test_a_rule_that_comes_too_late_to_change_anything_is_unused(tmp_path: Path) -> None:
    """The only ``asyncio`` in this module is gone when the rule that replaces it is reached."""
    _, said = _generator(tmp_path, "import sqlalchemy.ext.asyncio\n")
    assert r"the rule '\\basyncio\\b' changes nothing: remove it" in said
    assert r"\\bsqlalchemy\\.ext\\.asyncio\\b" not in said


def test_generated_modules_are_marked() -> None:
    attributes = (ROOT / ".gitattributes").read_text(encoding="utf-8")
    assert "**/_sync.py linguist-generated=true" in attributes
    assert "**/_sync/** linguist-generated=true" in attributes
    generated = [path for path in MODULES.values() if "_sync" in path.with_suffix("").parts]
    assert len(generated) > 20
    assert [path for path in generated if not path.read_text(encoding="utf-8").startswith("# Generated from ")] == []
