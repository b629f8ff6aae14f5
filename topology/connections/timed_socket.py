"""Write to a socket and read from it until a time of the monotonic clock, which no signal can put off.

A timeout of the kernel (``SO_RCVTIMEO``) begins anew when a signal interrupts the call (PEP 475), one of Python begins
anew with each call, and neither counts on the sockets of gevent and eventlet. So the time that is left is asked for
before each wait.
"""

from __future__ import annotations

import _socket
import select
import socket
import ssl
from collections.abc import Callable
from time import monotonic
from typing import Protocol

LONGEST_WAIT = 86_400.0
"""Seconds that are waited for at once at most: the system counts milliseconds in 32 bits."""

_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class TimedSocket(Protocol):
    """A socket whose reads and writes end at a given time. They raise OSError, and TimeoutError when it has come.

    What is there already is read and written even if the time is over.
    """

    receive_now: Callable[[bytearray], int] | None
    """Reads what has come, without waiting; raises BlockingIOError when nothing has. None where that cannot be told."""

    def is_readable(self) -> bool:
        """Return True if something can be read now, the end of the stream included; what is there may be lost then."""
        ...

    def send_all(self, payload: bytes, ends_at: float) -> None:
        """Write everything by the monotonic time ``ends_at``."""
        ...

    def receive(self, buffer: bytearray, ends_at: float) -> int:
        """Read into a buffer by the monotonic time ``ends_at``; return the number of bytes, 0 at the end."""
        ...


class _PolledSocket:
    """A plain socket of the system: it does not block, and is waited for with poll(2)."""

    __slots__ = ("_readable", "_receive", "_send", "_socket", "_writable", "receive_now")

    def __init__(self, plain: socket.socket) -> None:
        plain.settimeout(0)
        self._send = plain.send
        self._receive = plain.recv_into
        self.receive_now: Callable[[bytearray], int] | None = plain.recv_into
        self._readable = _poller(plain, select.POLLIN)
        self._writable = _poller(plain, select.POLLOUT)

    def is_readable(self) -> bool:
        return bool(self._readable(0))

    def send_all(self, payload: bytes, ends_at: float) -> None:
        try:
            sent = self._send(payload)
        except BlockingIOError:
            sent = 0
        while sent < len(payload):
            _wait(self._writable, ends_at)
            try:
                sent += self._send(memoryview(payload)[sent:])
            except BlockingIOError:
                continue  # it was ready for less than the system wants to take at once

    def receive(self, buffer: bytearray, ends_at: float) -> int:
        while True:
            _wait(self._readable, ends_at)
            try:
                return self._receive(buffer)
            except BlockingIOError:
                continue  # what had come was dropped, such as for a bad checksum


class _CountedSocket:
    """Any other socket, such as one with TLS or one of gevent: each call gets the time that is left as its timeout."""

    __slots__ = ("_byte", "_socket", "receive_now")

    def __init__(self, other: socket.socket) -> None:
        self._socket = other
        self._byte = bytearray(1)
        self.receive_now: Callable[[bytearray], int] | None = None

    def is_readable(self) -> bool:
        self._socket.settimeout(0)  # what has come may be of TLS alone, so it is read
        try:
            self._socket.recv_into(self._byte)
        except _LATER:
            return False
        except OSError:
            return True  # it is of no more use
        return True

    def send_all(self, payload: bytes, ends_at: float) -> None:
        left = memoryview(payload)
        while left:
            self._socket.settimeout(_left(ends_at))
            try:
                left = left[self._socket.send(left) :]
            except _LATER as error:
                raise TimeoutError from error

    def receive(self, buffer: bytearray, ends_at: float) -> int:
        self._socket.settimeout(_left(ends_at))
        try:
            return self._socket.recv_into(buffer)
        except _LATER as error:
            raise TimeoutError from error


def timed(connected: socket.socket) -> TimedSocket:
    """Return the socket for reads and writes that end at a given time."""
    # Green sockets are no subclass of the system's, and poll(2) would hold up all green threads.
    plain = _is_of_system(connected) and not isinstance(connected, ssl.SSLSocket)
    return _PolledSocket(connected) if plain and hasattr(select, "poll") else _CountedSocket(connected)


def shut_down(connected: socket.socket) -> None:
    """End a connection that another thread may be waiting on: that thread reads the end of the stream."""
    try:
        if _is_of_system(connected):
            # SSLSocket.shutdown takes TLS off first, and the other thread might write plain text then.
            _socket.socket.shutdown(connected, socket.SHUT_RDWR)
        else:
            connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is closed already


def _is_of_system(connected: object) -> bool:
    return isinstance(connected, _socket.socket)


def _poller(plain: socket.socket, events: int) -> Callable[[float], list[tuple[int, int]]]:
    poller = select.poll()
    poller.register(plain, events)
    return poller.poll


def _wait(poll: Callable[[float], list[tuple[int, int]]], ends_at: float) -> None:
    """Wait until a socket is ready. Raises TimeoutError when it is not by the monotonic time ``ends_at``."""
    while not poll(_left(ends_at) * 1_000):
        if monotonic() >= ends_at:
            raise TimeoutError


def _left(ends_at: float) -> float:
    return min(LONGEST_WAIT, max(0.0, ends_at - monotonic()))
