"""However a deployment ends, no process and no file is left."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable

import pytest
from slotbook.models.errors import EmbeddedError
from slotbook.topology.embedded import Deployment, Topology, start

from ...support.forked import Piped
from ...support.owners import OWNER, children_of, read_line, state_and_parent

Gone = Callable[[int], bool]
Holders = Callable[[], list[int]]
Eventually = Callable[[Callable[[], object], str], None]
NothingLeft = Callable[[], None]
Run = Callable[[str], Piped]


def write_line(script: Piped) -> None:
    script.stdin.write("\n")
    script.stdin.flush()


def guard_of(deployment: Deployment) -> int:
    found = state_and_parent(deployment.servers[0].pid)
    assert found is not None
    return found[1]


class Remains:
    """The processes and the folder of a deployment, to check that none is left."""

    def __init__(self, deployment: Deployment, gone: Gone) -> None:
        self.folder = deployment.folder
        self.pids = [server.pid for server in deployment.servers] + [guard_of(deployment)]
        self._gone = gone
        assert self.folder.is_dir()
        assert not any(map(gone, self.pids))

    def nothing(self) -> bool:
        return all(map(self._gone, self.pids)) and not self.folder.exists()


@pytest.mark.parametrize("topology", ["standalone", "sentinel", "cluster"])
def test_after_stop(topology: Topology, gone: Gone) -> None:
    deployment = start(topology)
    left = Remains(deployment, gone)
    deployment.stop()
    assert left.nothing()
    deployment.stop()
    server = deployment.servers[0]
    assert not server.alive
    with pytest.raises(EmbeddedError, match="stopped"):
        server.restart()


def test_after_an_exception_in_a_with_block(gone: Gone) -> None:
    left: list[Remains] = []

    def fail() -> None:
        with start("standalone") as deployment:
            left.append(Remains(deployment, gone))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert left[0].nothing()


def test_after_collection(gone: Gone) -> None:
    deployment = start("standalone")
    left = Remains(deployment, gone)
    del deployment
    gc.collect()
    assert left.nothing()


def test_a_frozen_server_is_stopped_too(gone: Gone) -> None:
    with start("standalone") as deployment:
        left = Remains(deployment, gone)
        deployment.servers[0].freeze()
    assert left.nothing()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_forked_children_of_a_server_go_with_it(
    end: str, program: str | None, eventually: Eventually, gone: Gone
) -> None:
    # A server forks to write a snapshot; this one takes a minute per key.
    with start("standalone", server=program, options={"rdb-key-save-delay": "60000000"}) as deployment:
        (server,) = deployment.servers
        for key in range(3):
            server.ask("SET", key, "x")
        server.ask("BGSAVE")
        (child,) = children_of(server.pid)
        assert not gone(child)
        if end == "stop":
            deployment.stop()
        else:
            server.kill()
        eventually(lambda: gone(child), "the child that writes the snapshot is gone")


def test_after_the_guard_was_killed(gone: Gone) -> None:
    deployment = start("standalone")
    left = Remains(deployment, gone)
    os.kill(guard_of(deployment), signal.SIGKILL)
    with pytest.raises(EmbeddedError, match="guard process"):
        deployment.servers[0].kill()
    assert deployment.servers[0].ask("PING") == "PONG"
    deployment.stop()
    assert left.nothing()


def test_stop_by_two_threads_returns_to_both_when_done(gone: Gone) -> None:
    deployment = start("standalone")
    left = Remains(deployment, gone)
    seen: list[bool] = []

    def stop() -> None:
        deployment.stop()
        seen.append(left.nothing())

    threads = [threading.Thread(target=stop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4


@pytest.mark.parametrize(
    ("end", "code"),
    [("", 0), ("sys.exit(3)", 3), ("raise RuntimeError", 1), ("os._exit(4)", 4), ("os.abort()", -signal.SIGABRT)],
)
def test_after_the_owner_ends(
    end: str, code: int, run_script: Run, holders: Holders, nothing_left: NothingLeft
) -> None:
    script = run_script(OWNER + "sys.stdin.readline()\n" + end)
    assert read_line(script) == "ready"
    assert len(holders()) == 1 + 1
    write_line(script)
    assert script.process.wait() == code
    nothing_left()


@pytest.mark.parametrize(
    ("number", "topology", "processes"),
    [
        (signal.SIGINT, "sentinel", 1 + 6),
        (signal.SIGKILL, "cluster", 1 + 6),
        (signal.SIGTERM, "standalone", 1 + 1),
        (signal.SIGHUP, "standalone", 1 + 1),
    ],
)
def test_after_a_signal_to_the_process_group(
    number: signal.Signals,
    topology: str,
    processes: int,
    *,
    run_script: Run,
    holders: Holders,
    nothing_left: NothingLeft,
) -> None:
    script = run_script(OWNER.replace("standalone", topology) + "time.sleep(60)")
    assert read_line(script) == "ready"
    assert len(holders()) == processes
    os.killpg(script.process.pid, number)
    assert script.process.wait() == -number
    nothing_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("processes", [1, 3, 7])
def test_after_a_signal_in_the_middle_of_start(
    number: signal.Signals, processes: int, run_script: Run, holders: Holders, nothing_left: NothingLeft
) -> None:
    start_it = OWNER.replace("standalone", "cluster").partition("deployment =")
    script = run_script("print('loaded', flush=True)\ndeployment =".join(start_it[::2]))
    assert read_line(script) == "loaded"  # until then, to look at every process again and again is in vain
    while len(holders()) < processes:
        assert script.process.poll() is None
    os.killpg(script.process.pid, number)
    output, _ = script.rest(100)
    assert (output, script.process.returncode) == ("", -number)
    nothing_left()


def test_servers_outlive_a_ctrl_c_that_their_owner_handles(run_script: Run) -> None:
    script = run_script(
        """
import time
from slotbook.topology.embedded import start
with start("standalone") as deployment:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.1)
        print(deployment.servers[0].ask("PING"), flush=True)
"""
    )
    assert read_line(script) == "ready"
    os.killpg(script.process.pid, signal.SIGINT)
    assert read_line(script) == "PONG"


def test_a_forked_child_stops_nothing(run_script: Run) -> None:
    script = run_script(
        OWNER
        + """
import gc, signal
from slotbook.models.errors import EmbeddedError
child = os.fork()
if child == 0:
    assert deployment.servers[0].ask("PING") == "PONG"
    assert len(deployment.primaries()) == 1
    try:
        deployment.servers[0].kill()
    except EmbeddedError as error:
        assert "only process" in str(error)
    else:
        os._exit(9)
    deployment.stop()
    del deployment
    gc.collect()
    sys.exit(5)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print([server.alive and server.ask("PING") for server in deployment.servers], flush=True)
deployment.stop()
print(deployment.folder.exists())
"""
    )
    output, errors = script.rest(100)
    assert output.splitlines() == ["ready", "5", str(["PONG"]), "False"], errors


def test_a_living_forked_child_does_not_keep_the_servers(
    run_script: Run, holders: Holders, nothing_left: NothingLeft, gone: Gone
) -> None:
    script = run_script(
        OWNER
        + """
child = os.fork()
if child:
    print(child, flush=True)
time.sleep(60)
"""
    )
    assert read_line(script) == "ready"
    child = int(read_line(script))
    assert len(holders()) == 1 + 1
    try:
        script.process.kill()
        nothing_left()
        assert not gone(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_interrupted_calls_leave_the_guard_usable(run_script: Run) -> None:
    script = run_script(
        """
import signal
from slotbook.topology.embedded import start

def interrupt(number, frame):
    raise KeyboardInterrupt

with start("standalone") as deployment:
    (server,) = deployment.servers
    signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    while interrupted < 300:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.00002 + interrupted % 40 * 0.000005)
            while True:
                assert server.alive
        except KeyboardInterrupt:
            interrupted += 1
    server.restart()
    print(server.alive, f"process_id:{server.pid}\\r\\n" in server.ask("INFO", "server"))
"""
    )
    output, errors = script.rest(100)
    assert output == "True True\n", errors
