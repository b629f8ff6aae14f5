"""One connection for threads: redis-py opens and closes it; its socket is written and read directly.

What redis-py does around each command costs more than the command itself. A call needs only the socket and the parser's
table of error classes from it; hiredis parses the replies.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import inf
from os import sched_yield
from time import monotonic, perf_counter
from typing import cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from ..call import Reply, pack
from ..error_mapping import NotPrimary
from ..misreadings import shortened
from .greeting import GREETINGS, closed_in_greeting, greeting
from .opening import ConnectionClass, open_connection
from .reader import INCOMPLETE, Reader
from .role import ASK_ROLE, ROLE_INTERVAL, Doubt, demotion_shown, demotion_told
from .timed_socket import shut_down, timed

_BUFFER_SIZE = 1 << 16
_CONTENDED_SECONDS = 50e-6
"""If two polls in a row are further apart than this, another thread or process ran between them."""


class Connection:
    """A connection that is open. ``log_in`` comes first. It raises redis-py's errors; after one it can only be closed.

    Times are those of the monotonic clock. ``ends_at`` is the time by which it has to be open.
    """

    __slots__ = (
        "_asks_role",
        "_buffer",
        "_doubt",
        "_feed",
        "_gets",
        "_greetings",
        "_is_readable",
        "_name",
        "_owes",
        "_receive",
        "_receive_now",
        "_redis_connection",
        "_role_asked",
        "_send_all",
        "_socket",
        "can_poll",
        "demotion",
        "is_ahead",
    )

    def __init__(self, connection_class: ConnectionClass, arguments: Mapping[str, object], ends_at: float) -> None:
        redis_connection = open_connection(connection_class, arguments, ends_at)
        self._redis_connection = redis_connection
        self._name = ""
        self._doubt: Doubt | None = None
        """The doubt that all connections of the target share; None when the server may be a replica."""
        self._role_asked = -ROLE_INTERVAL
        """The monotonic time at which the server was last asked for its role."""
        self._asks_role = False
        """True when a reply that tells the role comes before the next answer."""
        self._greetings = 0
        """The number of replies to the introduction, which come before that."""
        self._owes = False
        """True when any such reply comes."""
        self.demotion: NotPrimary | None = None
        """The error of a server that has shown itself to be a replica; the connection is then to be closed."""
        self._socket = redis_connection._sock  # pyright: ignore[reportPrivateUsage]
        in_time = timed(self._socket)
        self._send_all = in_time.send_all
        self._receive = in_time.receive
        self._receive_now = in_time.receive_now
        self._buffer = bytearray(_BUFFER_SIZE)
        self._is_readable = in_time.is_readable
        reader = Reader(redis_connection._parser)  # pyright: ignore[reportPrivateUsage]
        self._gets = reader.next
        self._feed = reader.feed
        self.is_ahead = reader.has_data
        """Return True when more has been read than the replies that were returned."""
        self.can_poll = self._receive_now is not None and sys.platform == "linux"
        """False with TLS, where the socket does not show if a reply has come, and on systems other than Linux."""

    def send(self, payload: bytes, ends_at: float) -> None:
        """Write packed commands. Raises ConnectionError or TimeoutError."""
        try:
            self._send_all(payload, ends_at)
        except TimeoutError as error:
            raise RedisTimeoutError("Timeout writing to socket") from error
        except OSError as error:
            said = self._said_at_once() if self._greetings else None
            raise said or RedisConnectionError(f"Error while writing to socket: {error}") from error

    def log_in(self, arguments: Mapping[str, object], ends_at: float) -> None:
        """Authenticate and select the database, in one round trip, as the arguments of the connection say.

        The introduction goes out with that, and is answered before the first call.
        """
        commands: list[bytes] = []
        username, password = arguments.get("username"), arguments.get("password")
        if username or password:
            words = [
                str(word).encode("utf-8", "surrogateescape") for word in (username, password or "") if word is not None
            ]
            commands.append(pack((b"AUTH", *words)))
        if arguments.get("db"):
            commands.append(pack(("SELECT", str(arguments["db"]))))
        self.send(b"".join((*commands, greeting())), ends_at)
        self._greetings, self._owes = GREETINGS, True
        for _ in commands:
            answer = self._next(inf, ends_at)
            if isinstance(answer, RedisError):
                raise answer
            if answer != "OK":
                raise RedisConnectionError(f"the server answered {shortened(answer)} to a login")

    def require_primary(self, name: str, doubt: Doubt, ends_at: float) -> None:
        """Ask the server for its role, now and on. Raises NotPrimary for a replica, and what ``read`` raises.

        Args:
            name: The server's name in error texts.
            doubt: The doubt that all connections of the target share.
            ends_at: The time by which the server has to answer.
        """
        self._name, self._doubt = name, doubt
        self.send(self.with_role_check(b""), ends_at)
        self._read_owed(inf, ends_at)
        if self.demotion is not None:
            raise self.demotion

    def with_role_check(self, payload: bytes) -> bytes:
        """Return the first commands of a call, after the question for the server's role if that is due."""
        if self._doubt is None or not self._doubt.is_due(self._role_asked):
            return payload
        self._role_asked = monotonic()
        self._asks_role = self._owes = True
        return ASK_ROLE + payload

    def read(self, timeout: float, ends_at: float) -> Reply | RedisError:
        """Return the next reply; an error reply is returned, not raised.

        Raises ConnectionError, TimeoutError or InvalidResponse when no reply can be read, and NotPrimary in place of a
        value of a server that has to be a primary and is none.

        Args:
            timeout: Seconds that the reply may take from now.
            ends_at: The time after which it is not waited for in any case.
        """
        if self._owes:
            self._read_owed(timeout, ends_at)
        answer = self._next(timeout, ends_at)
        if isinstance(answer, RedisError):
            self._note_demotion(demotion_shown(self._name, answer))
        elif self.demotion is not None:
            raise self.demotion
        return answer

    def _read_owed(self, timeout: float, ends_at: float) -> None:
        """Read the replies to what the connection has asked for itself."""
        if self._greetings:
            self._read_greetings(timeout, ends_at)
        if self._asks_role:
            self._read_role(timeout, ends_at)
        self._owes = False

    def _read_greetings(self, timeout: float, ends_at: float) -> None:
        """Read the replies to the introduction, whatever they are: an older server does not know the commands."""
        answers: list[Reply | RedisError] = []
        try:
            while self._greetings:
                answers.append(self._next(timeout, ends_at))
                self._greetings -= 1
        except RedisConnectionError as error:
            raise closed_in_greeting(answers) or error from error.__cause__

    def _said_at_once(self) -> RedisConnectionError | None:
        """Return the error of a server that closed the connection before anything was asked, if it said why."""
        try:
            return closed_in_greeting([self._next(0, monotonic())])
        except RedisError:
            return None

    def _read_role(self, timeout: float, ends_at: float) -> None:
        answer = self._next(timeout, ends_at)
        self._asks_role = False
        if isinstance(answer, RedisConnectionError):
            raise answer  # such as LOADING
        self._note_demotion(demotion_told(self._name, answer))

    def _note_demotion(self, demotion: NotPrimary | None) -> None:
        if demotion is not None and self._doubt is not None:
            self.demotion = demotion
            self._doubt.rise()

    def _next(self, timeout: float, ends_at: float) -> Reply | RedisError:
        gets = self._gets
        answer = gets()
        if answer is INCOMPLETE:
            ends_at = min(ends_at, monotonic() + timeout)
        while answer is INCOMPLETE:
            try:
                size = self._receive(self._buffer, ends_at)
            except TimeoutError as error:
                raise RedisTimeoutError("Timeout reading from socket") from error
            except OSError as error:
                raise RedisConnectionError(f"Error while reading from socket: {error}") from error
            if not size:
                raise RedisConnectionError("Connection closed by server.")
            self._feed(self._buffer, 0, size)  # type: ignore[arg-type]  # it takes any buffer
            answer = gets()
        return cast("Reply | RedisError", answer)

    def poll(self, seconds: float) -> bool:
        """Poll the socket for up to ``seconds`` without going to sleep; return True if bytes came. Raises nothing.

        The processor is yielded between two polls. If another thread or process takes it, polling ends early: then it
        is better to sleep until the reply comes.
        """
        receive, buffer = self._receive_now, self._buffer
        last = perf_counter()
        until = last + seconds
        while receive is not None:
            try:
                size = receive(buffer)
            except BlockingIOError:
                now = perf_counter()
                if now >= until or now - last > _CONTENDED_SECONDS:
                    return False
                last = now
                sched_yield()
            except OSError:
                return False  # the read that follows raises it
            else:
                self._feed(buffer, 0, size)  # type: ignore[arg-type]  # it takes any buffer
                return True
        return False

    def has_unread(self) -> bool:
        """Return True for a connection that has something to read before anything is asked for, or has ended.

        The next caller would take what is there for its own reply.
        """
        return self.is_ahead() or self._is_readable()

    def has_surplus(self) -> bool:
        """Return True if there is more than pushed messages to read; what is read is lost."""
        return self._gets() is not INCOMPLETE or self.is_ahead()

    def shut_down(self) -> None:
        """End the connection under the thread that uses it, which then finds it closed by the server."""
        shut_down(self._socket)

    def close(self) -> None:
        """Close the socket."""
        self._redis_connection.disconnect()
