"""The service on the page about FastAPI says that it is not ready when its servers do not answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .support.pages import files_of, text_of

PROGRAM = """
import os

from fastapi.testclient import TestClient
from service import service
from slotbook.topology.embedded import start

with start("standalone") as servers:
    os.environ["SLOTBOOK_URL"] = f"{servers.url}?deadline=3"
    with TestClient(service) as client:
        first = client.get("/ready")
        servers.servers[0].freeze()
        second, live = client.get("/ready"), client.get("/live")
        servers.servers[0].thaw()
        print(*(one.status_code for one in (first, second, live, client.get("/ready"))))
"""


def test_a_service_whose_server_is_frozen_is_live_and_not_ready(tmp_path: Path) -> None:
    for file, text in files_of(text_of("how-to/fastapi")).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200 503 200 200\n", "")
