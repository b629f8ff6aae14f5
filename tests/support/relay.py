"""A TCP relay in front of one server, which counts round trips and can drop, cut or delay requests and replies."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Self

from .fleet import Fleet


class Relay:
    """A relay that forwards whole bursts: everything that a client sends before it waits is one burst, one round trip.

    Only with a ``quiet_time`` above 0 is a burst that arrives in pieces counted as one for certain.
    """

    def __init__(self, fleet: Fleet) -> None:
        (server,) = fleet.deployment.servers
        self._to = (server.host, server.port)
        self._password = fleet.deployment.password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopping = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.quiet_time = 0.0
        """The seconds of silence from a client that end a burst."""
        self.bursts = 0
        """The number of bursts from clients."""
        self.connections = 0
        """The number of accepted connections."""
        self.replies = threading.Event()
        """Replies are forwarded while this is set."""
        self.replies.set()
        self.lose_requests = 0
        """The number of next bursts that are dropped, with their connection."""
        self.lose_replies = 0
        """The number of next replies that are dropped, with their connection."""
        self.cut_reply_at: int | None = None
        """The number of bytes after which the next reply is cut off; None cuts nothing."""

    @property
    def url(self) -> str:
        """The URL of the server behind the relay."""
        host, port = self._listener.getsockname()
        return f"redis://slotbook:{self._password}@{host}:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self.replies.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._carry, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        server = socket.create_connection(self._to)
        with self._lock:
            self._open |= {client, server}
        try:
            while self._step(client, server):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {client, server}
            client.close()
            server.close()

    def _step(self, client: socket.socket, server: socket.socket) -> bool:
        ready, _, _ = select.select([client, server], [], [])
        if client in ready:
            burst = _burst(client, self.quiet_time)
            if not burst:
                return False
            with self._lock:
                self.bursts += 1
                lost = self.lose_requests > 0
                self.lose_requests -= lost
            if lost:
                return False
            server.sendall(burst)
            return True
        reply = _burst(server, 0)
        if not reply:
            return False
        self.replies.wait()
        with self._lock:
            lost, cut = self.lose_replies > 0, self.cut_reply_at
            self.lose_replies -= lost
            self.cut_reply_at = None
        if lost:
            return False
        client.sendall(reply if cut is None else reply[:cut])
        return cut is None


def _burst(sender: socket.socket, quiet_time: float) -> bytes:
    pieces: list[bytes] = []
    while True:
        piece = sender.recv(1 << 20)
        pieces.append(piece)
        if not piece or not select.select([sender], [], [], quiet_time)[0]:
            return b"".join(pieces)
