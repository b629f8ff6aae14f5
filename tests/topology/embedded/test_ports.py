"""A deployment starts again with other ports when another program has taken one of its own."""

from __future__ import annotations

import socket
import threading

import pytest
from slotbook.models.errors import EmbeddedError, InvalidArgument
from slotbook.topology.embedded import start
from slotbook.topology.embedded.admin import NotAnswering, NotOurs, ask
from slotbook.topology.embedded.guard import Guard


def first_reserve(port: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have guards reserve a taken port twice, and free ones from then on; return the list of their attempts."""
    reserve = Guard.reserve
    tries: list[int] = []

    def reserve_taken_port_twice(guard: Guard, count: int, first: int = 0) -> list[int]:
        tries.append(count)
        return [port] if len(tries) < 3 else reserve(guard, count, first)

    monkeypatch.setattr(Guard, "reserve", reserve_taken_port_twice)
    return tries


def test_start_begins_anew_when_another_server_has_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with start("standalone") as other:
        tries = first_reserve(other.servers[0].port, monkeypatch)
        with start("standalone") as deployment:
            assert tries == [1, 1, 1]
            assert deployment.servers[0].ask("PING") == "PONG"
        assert other.servers[0].ask("PING") == "PONG"


def test_start_begins_anew_when_something_silent_has_the_port(
    program: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tries = first_reserve(silent.getsockname()[1], monkeypatch)
        with start("standalone", server=program) as deployment:
            assert tries == [1, 1, 1]
            assert deployment.servers[0].ask("PING") == "PONG"


def test_start_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    guards: list[Guard] = []
    with start("standalone") as other:

        def reserve_taken_port(guard: Guard, _count: int, _first: int = 0) -> list[int]:
            guards.append(guard)
            return [other.servers[0].port]

        monkeypatch.setattr(Guard, "reserve", reserve_taken_port)
        with pytest.raises(EmbeddedError, match="data-1"):
            start("standalone")
    assert len(guards) == 5
    assert not any(guard.folder.exists() for guard in guards)


def test_reserved_ports_are_distinct_and_given_to_no_other_program() -> None:
    guard = Guard()
    try:
        ports = guard.reserve(50)
        others: set[int] = set()
        for _ in range(200):
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                others.add(other.getsockname()[1])
        assert len(set(ports)) == 50
        assert not others.intersection(ports)
    finally:
        guard.close()


def test_another_server_is_recognized_by_its_password() -> None:
    with start("standalone") as deployment:
        (server,) = deployment.servers
        with pytest.raises(NotOurs):
            ask(server.host, server.port, "another", ("PING",), 2.0)
        server.kill()
        with pytest.raises(NotAnswering):
            ask(server.host, server.port, deployment.password, ("PING",), 2.0)


def test_another_program_is_recognized() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(NotOurs):
            ask("127.0.0.1", listener.getsockname()[1], "password", ("PING",), 2.0)
        thread.join()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"-WRONGPASS invalid username-password pair\r\n", NotOurs),
        (b"-ERR AUTH <password> called without any password configured\r\n", EmbeddedError),
        (b"-LOADING the dataset is loaded\r\n", NotAnswering),
        (b"-ERR max number of clients reached\r\n", NotAnswering),
        (b"", NotAnswering),
    ],
)
def test_what_refuses_the_password_is_told_nothing_more(reply: bytes, error: type[EmbeddedError]) -> None:
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                told.append(connection.recv(1024))
                connection.sendall(reply)
                connection.shutdown(socket.SHUT_WR)
                told.append(connection.recv(1024))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(EmbeddedError) as caught:
            ask("127.0.0.1", listener.getsockname()[1], "word", ("SHUTDOWN", "NOSAVE"), 2.0)
        thread.join()
    assert type(caught.value) is error
    assert told == [b"*2\r\n$4\r\nAUTH\r\n$4\r\nword\r\n", b""]


def test_what_never_answers_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotAnswering, match=r"no answer within 0\.2 s"):
        ask("127.0.0.1", mute.getsockname()[1], "word", ("PING",), 0.2)


@pytest.mark.parametrize("port", [1_023, 65_001, -1, 0])
def test_a_port_that_servers_cannot_have_is_refused(port: int) -> None:
    with pytest.raises(InvalidArgument, match=f"port must be from 1024 to 65000, not {port}"):
        start("standalone", port=port)
