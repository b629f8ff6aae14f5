"""A server that answers what a test tells it to, and PONG and OK to the rest."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter, defaultdict, deque
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import urlencode

from .resp import frame_end, verb_of

_USUAL = {
    "PING": b"+PONG\r\n",
    "HGETALL": b"*0\r\n",
    "HELLO": b"*2\r\n+role\r\n+master\r\n",
    "CLUSTER": b"-ERR This instance has cluster support disabled\r\n",
}


class Scripted:
    """One loopback port; a context manager."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._dripping: set[str] = set()
        self._answers: defaultdict[str, deque[bytes | None]] = defaultdict(deque)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for one in self._sockets:
            one.close()

    def url(self, **settings: object) -> str:
        """Return its URL, with settings."""
        return f"redis://127.0.0.1:{self.port}?{urlencode(settings)}"

    def cluster_url(self, **settings: object) -> str:
        """Return its URL as the one node of a cluster."""
        self.answer("CLUSTER", f"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{self.port}\r\n", times=1_000)
        return f"redis+cluster://127.0.0.1:{self.port}?{urlencode(settings)}"

    def answer(self, verb: str, reply: str, times: int = 1) -> None:
        """Set the reply to the next such commands."""
        self._answers[verb].extend([reply.encode()] * times)

    def hang_up(self, verb: str, times: int = 1) -> None:
        """Close the connection in place of a reply."""
        self._answers[verb].extend([None] * times)

    def drip(self, verb: str) -> None:
        """Answer such commands a byte at a time, without end."""
        self._dripping.add(verb)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        buffer = bytearray()
        try:
            while data := client.recv(65_536):
                buffer += data
                while buffer and (end := frame_end(buffer)) > 0:
                    verb = verb_of(buffer[:end])
                    del buffer[:end]
                    self.asked[verb] += 1
                    waiting = self._answers[verb]
                    reply = waiting.popleft() if waiting else _USUAL.get(verb, b"+OK\r\n")
                    if verb in self._dripping:
                        _drip(client)
                    if reply is None:
                        client.shutdown(socket.SHUT_RDWR)
                        return
                    client.sendall(reply)
        except OSError:
            return
        finally:
            client.close()


def _drip(client: socket.socket) -> NoReturn:
    client.sendall(b"+")
    while True:
        time.sleep(0.05)
        client.sendall(b"x")
