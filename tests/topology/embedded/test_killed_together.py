"""Owner and guard of a deployment are killed together: what does not end with them is ended by the next start."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ...support.forked import Piped
from ...support.owners import OWNER, children_of, read_line

Gone = Callable[[int], bool]
Holders = Callable[[], list[int]]
Eventually = Callable[[Callable[[], object], str], None]
NothingLeft = Callable[[], None]
Run = Callable[[str], Piped]

KILLED = OWNER + "print(*[server.pid for server in deployment.servers], flush=True)\ntime.sleep(60)"


@pytest.mark.parametrize("how", ["at once", "guard first", "group of the guard"])
def test_after_owner_and_guard_were_both_killed(
    how: str, run_script: Run, holders: Holders, nothing_left: NothingLeft, gone: Gone
) -> None:
    script = run_script(KILLED)
    assert read_line(script) == "ready"
    server = int(read_line(script))
    (guard,) = set(holders()) - {server}
    if how == "group of the guard":
        os.killpg(os.getpgid(guard), signal.SIGKILL)
        os.killpg(script.process.pid, signal.SIGKILL)
    elif how == "at once":
        os.kill(guard, signal.SIGSTOP)  # so that it does nothing more
        script.process.kill()
        os.kill(guard, signal.SIGKILL)
    else:
        os.kill(guard, signal.SIGKILL)
        assert not gone(server)
        script.process.kill()
    script.process.wait()
    nothing_left()


@pytest.mark.parametrize("processes", [1, 2])
def test_after_both_were_killed_in_the_middle_of_start(
    processes: int, run_script: Run, holders: Holders, nothing_left: NothingLeft
) -> None:
    script = run_script(OWNER.replace("standalone", "cluster"))
    while len(holders()) < processes:
        assert script.process.poll() is None
    for guard in children_of(script.process.pid):
        os.kill(guard, signal.SIGKILL)
    script.process.kill()
    nothing_left()


def test_after_both_were_killed_while_a_server_had_a_child(
    run_script: Run, holders: Holders, nothing_left: NothingLeft, eventually: Eventually, gone: Gone
) -> None:
    slow = OWNER.replace('"standalone"', '"standalone", options={"rdb-key-save-delay": "60000000"}')
    saving = 'deployment.servers[0].ask("SET", "a", 1)\ndeployment.servers[0].ask("BGSAVE")\n'
    script = run_script(slow + saving + KILLED.removeprefix(OWNER))
    assert read_line(script) == "ready"
    server = int(read_line(script))
    (guard,) = children_of(script.process.pid)
    (child,) = children_of(server)
    os.kill(guard, signal.SIGKILL)
    script.process.kill()
    nothing_left()
    eventually(lambda: gone(child), "the child that writes the snapshot is gone")


def test_what_a_machine_that_went_down_has_left_is_removed_by_the_next_start(
    run_script: Run, holders: Holders, nothing_left: NothingLeft, eventually: Eventually, tmp_path: Path
) -> None:
    """Owner, guard and cleanup process were killed at once, and even a server lives; others' folders stay."""
    script = run_script(KILLED)
    assert read_line(script) == "ready"
    server = int(read_line(script))
    (guard,) = set(holders()) - {server}
    (cleanup,) = set(children_of(guard)) - {server}
    for process in (cleanup, guard, script.process.pid):
        os.kill(process, signal.SIGKILL)
    script.process.wait()
    (folder,) = tmp_path.iterdir()
    others = [tmp_path / "slotbook-of-another-version", tmp_path / "other"]
    for other in others:
        other.mkdir()
    assert holders() == [server]
    following = run_script(KILLED)
    assert read_line(following) == "ready"
    second = int(read_line(following))
    eventually(lambda: not folder.exists(), "its folder is removed")
    assert len(holders()) == 2
    assert second in holders()
    assert all(other.is_dir() for other in others)
    for other in others:
        other.rmdir()
    following.process.kill()
    nothing_left()


def test_a_deployment_whose_guard_was_killed_is_not_swept_away(
    run_script: Run, holders: Holders, eventually: Eventually, tmp_path: Path
) -> None:
    script = run_script(KILLED)
    assert read_line(script) == "ready"
    server = int(read_line(script))
    (guard,) = set(holders()) - {server}
    (folder,) = tmp_path.iterdir()
    os.kill(guard, signal.SIGKILL)

    def held() -> bool:
        with (folder / "lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    eventually(held, "the cleanup process looks after the folder")
    following = run_script(OWNER + "deployment.stop()\nprint('stopped', flush=True)")
    assert (read_line(following), read_line(following)) == ("ready", "stopped")
    following.rest(100)
    assert holders() == [server]
    assert folder.is_dir()
