"""Start a private PostgreSQL for a test process, in a folder of its own, on a Unix socket without a port."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pytest


def programs() -> Path | None:
    """Return the folder of the newest installed server's programs; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


class Postgres:
    """A PostgreSQL server that runs within a ``with``, which skips the test where PostgreSQL is not installed."""

    def __init__(self) -> None:
        self._bin = programs()
        self._user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        self._folder = Path()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://desk@/postgres?host={quote(str(self._folder))}"

    def __enter__(self) -> Self:
        if self._bin is None:
            pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
        self._folder = Path(tempfile.mkdtemp(prefix="slotbook-pg-"))
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "desk", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        self._server = subprocess.Popen(
            [self._bin / "postgres", "-D", data, "-k", self._folder, "-c", "listen_addresses=", "-c", "fsync=off"],
            user=self._user, group=self._user, extra_groups=[] if self._user else None, cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 30
        while subprocess.run(
            [self._bin / "pg_isready", "-q", "-h", self._folder, "-U", "desk"], check=False
        ).returncode:
            assert time.monotonic() < until
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        assert self._bin is not None
        subprocess.run(
            [self._bin / program, *arguments],
            user=self._user, group=self._user, extra_groups=[] if self._user else None, cwd="/",
            check=True, capture_output=True,
        )  # fmt: skip
