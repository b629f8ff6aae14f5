"""Build the wheel and the source distribution, and try both as a user does, on every Python that is found here.

Each Python installs the wheel alone, whose size is limited, then all extras, and runs the README's first example. The
source distribution is unpacked, installed for development, and runs a part of its own tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_MEGABYTES = 40
"""The limit of `pip install slotbook`, with what it needs."""
OWN_TESTS = (
    "tests/test_style.py",
    "tests/test_wheel.py",
    "tests/models/test_names.py",
    "tests/repositories/orders/test_fill.py",
)
"""The tests that an unpacked source distribution runs."""


class StepFailed(Exception):
    """A step went wrong; the message has all that was printed."""


def main() -> None:
    """Try the packages, and end with an error that says what failed."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "dist")
        uv("build", "--quiet", "--out-dir", str(built), str(ROOT))
        (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
        run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(sdist))
        print(f"built {wheel.name} and {sdist.name}", flush=True)
        for interpreter in interpreters():
            environment = Path(folder, "environment")
            python = install(wheel, interpreter, environment)
            try:
                uv("pip", "install", "--quiet", "--python", str(python), f"{wheel}[all]")
            except StepFailed as why:
                if same_version(interpreter):
                    raise
                print(f"{interpreter}: the extras cannot be had here\n{why}", flush=True)
                uv("pip", "install", "--quiet", "--python", str(python), f"{wheel}[cli,embedded]")
            try_wheel(wheel, interpreter, python, environment)
        try_sdist(sdist, Path(folder))


def install(wheel: Path, interpreter: Path, environment: Path) -> Path:
    """Install a wheel for an interpreter, alone and measured; return the environment's Python."""
    python = new_environment(environment, interpreter)
    uv("pip", "install", "--quiet", "--python", str(python), str(wheel))
    (site,) = environment.glob("lib/*/site-packages")
    megabytes = sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) / 1e6
    if megabytes > MOST_MEGABYTES:
        sys.exit(f"{wheel.name} and what it needs are {megabytes:.1f} MB")
    print(f"{interpreter}: {megabytes:.1f} MB without extras", flush=True)
    return python


def try_wheel(wheel: Path, interpreter: Path, python: Path, environment: Path) -> None:
    """Run the README's first example, and the command, with what was installed."""
    code, shown = first_example()
    printed = run(str(python), "-c", code, cwd=environment)
    if printed.strip() != shown:
        sys.exit(f"the README's first example printed {printed!r} with {interpreter}, not {shown!r}")
    version = run(str(python), "-m", "slotbook", "--version", cwd=environment).strip()
    print(f"{interpreter}: {version} of {wheel.name}, the first example is right", flush=True)


def try_sdist(sdist: Path, folder: Path) -> None:
    """Install an unpacked source distribution for development, and run tests of its own."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = folder / sdist.name.removesuffix(".tar.gz")
    python = new_environment(folder / "developer", Path(sys.executable))
    uv("pip", "install", "--quiet", "--python", str(python), "--editable", f"{source}[dev]")
    ran = run(str(python), "-m", "pytest", "-q", "-n", "4", *OWN_TESTS, cwd=source)
    print(f"{sdist.name}: {ran.strip().splitlines()[-1]}", flush=True)


def interpreters() -> Iterator[Path]:
    """Yield one working interpreter for each version of Python that the classifiers name and this machine has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for version in re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"])):
        name = f"python{version}"
        on_path = shutil.which(name)
        candidates = [Path(on_path)] if on_path else []
        candidates += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))
        found = next(filter(works, candidates), None)
        if found is None:
            print(f"{name}: not on this machine", flush=True)
        else:
            yield found


def same_version(interpreter: Path) -> bool:
    """Return whether an interpreter is of the version that runs this program, for which all is there."""
    shown = run(str(interpreter), "-c", "import sys; print(*sys.version_info[:2])")
    return shown.split() == [str(number) for number in sys.version_info[:2]]


def works(interpreter: Path) -> bool:
    """Return whether an interpreter starts: pyenv has programs that only say which version to choose."""
    return subprocess.run([interpreter, "-c", ""], capture_output=True, check=False).returncode == 0


def first_example() -> tuple[str, str]:
    """Return the code of the README's first example, and what its last comment says that it prints."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = readme.partition("```python\n")[2].partition("```")[0]
    return code, code.strip().splitlines()[-1].strip().removeprefix("# ")


def new_environment(folder: Path, interpreter: Path) -> Path:
    """Make an empty environment, in place of one that is there; return its interpreter."""
    uv("venv", "--quiet", "--clear", "--python", str(interpreter), str(folder))
    return folder / "bin" / "python"


def uv(*arguments: str) -> None:
    """Run uv, which makes environments in a second."""
    run(sys.executable, "-m", "uv", *arguments)


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a program without our settings, and return what it printed, without its warnings; raises StepFailed."""
    unset = {name: value for name, value in os.environ.items() if not name.startswith("SLOTBOOK_")}
    ran = subprocess.run(command, cwd=cwd, env=unset, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise StepFailed(f"{' '.join(command)}\n{ran.stdout}\n{ran.stderr}")
    if ran.stderr.strip():
        print(f"{Path(command[0]).name} warned: {ran.stderr.strip()}", flush=True)
    return ran.stdout


if __name__ == "__main__":
    try:
        main()
    except StepFailed as failed:
        sys.exit(str(failed))
