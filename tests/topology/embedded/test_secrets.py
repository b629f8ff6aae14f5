"""The passwords are in the URL and in private files, and nowhere else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from slotbook.models.errors import EmbeddedError
from slotbook.topology.embedded import start


def test_passwords_are_seen_nowhere(program: str | None) -> None:
    with start("sentinel", server=program, replicas=1) as deployment:
        passwords = [deployment.password, str(deployment.sentinel_password)]
        texts = [repr(deployment), str(deployment), *map(repr, deployment.servers), *map(str, deployment.servers)]
        texts += [server.log.read_text() for server in deployment.servers]
        assert all(len(password) >= 32 and password in deployment.url for password in passwords)
        assert not [text for text in texts for password in passwords if password in text]
        for path in [deployment.folder, *deployment.folder.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_passwords_are_in_no_command_line_or_environment() -> None:
    with start("sentinel", replicas=1) as deployment:
        seen = b""
        for server in deployment.servers:
            process = Path("/proc") / str(server.pid)
            guard = Path("/proc") / process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            for each in (process, guard):
                seen += each.joinpath("cmdline").read_bytes() + each.joinpath("environ").read_bytes()
        assert b"guard_process.py" in seen
        assert deployment.password.encode() not in seen
        assert str(deployment.sentinel_password).encode() not in seen


def test_errors_name_the_server_and_the_command_but_no_password() -> None:
    with start("standalone") as deployment:
        (server,) = deployment.servers
        server.ask("SET", "a", 1)
        for command, shown in [
            (("LPUSH", "a", 1), "LPUSH: "),
            (("NO-SUCH-COMMAND", deployment.password), "NO-SUCH-COMMAND: "),
            (("config", "set", "nothing", deployment.password), "config set: "),
            (("AUTH", "x", deployment.password + "x"), "AUTH: "),
        ]:
            with pytest.raises(EmbeddedError) as caught:
                server.ask(*command)
            text = str(caught.value)
            assert text.startswith(f"data-1 (127.0.0.1:{server.port}), {shown}")
            assert deployment.password not in text
        server.kill()
        with pytest.raises(EmbeddedError, match=r"data-1 .*, GET: ") as caught:
            server.ask("GET", "a")
        assert deployment.password not in str(caught.value)


def test_a_restart_that_fails_shows_the_log_without_the_password() -> None:
    with start("standalone") as deployment:
        (server,) = deployment.servers
        config = server.folder / "server.conf"
        config.write_text(f"no-such-directive {deployment.password}\n")
        with pytest.raises(EmbeddedError, match=r"data-1.*ended") as caught:
            server.restart()
        assert "no-such-directive ***" in str(caught.value)
        assert config.stat().st_mode & 0o077 == 0
