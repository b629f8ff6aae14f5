"""All servers of a deployment behind proxies: whoever asks where a server is, is told its proxy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from slotbook.topology.embedded import Deployment, Server

from ..urls import with_settings
from .proxy import Proxy, Thread
from .rules import Plan, Rule

_NUMBER = re.compile(rb"\$\d+\r\n(\d{2,5})\r\n|:(\d{2,5})\r\n")
_PLACE = re.compile(rb":(\d+)\r\n$")


class Veil:
    """One proxy for each server, and one plan for all data servers."""

    def __init__(self, deployment: Deployment) -> None:
        self.plan = Plan()
        self._deployment = deployment
        self._thread = Thread()
        self._proxies: dict[int, Proxy] = {}
        for server in deployment.servers:
            plan = self.plan if server.kind == "data" else Plan()
            self._proxies[server.port] = Proxy(
                server.host, server.port, thread=self._thread, plan=plan, translate=self._translate
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, settings: Mapping[str, object] | None = None) -> str:
        """Return the deployment's URL, by way of the proxies, with settings in its query."""
        url = re.sub(
            r"(127\.0\.0\.1:)(\d+)", lambda found: found[1] + str(self._veiled(int(found[2]))), self._deployment.url
        )
        return with_settings(url, settings)

    def of(self, server: Server) -> Proxy:
        """Return the proxy of a server."""
        return self._proxies[server.port]

    @property
    def data(self) -> list[Proxy]:
        """The proxies of the data servers."""
        return [self.of(server) for server in self._deployment.servers if server.kind == "data"]

    def add(self, *rules: Rule) -> None:
        """Rules for the requests to come, whichever data server they go to."""
        self.plan.add(*rules)

    def requests(self, *verbs: str) -> int:
        """Return how many requests with these verbs came to the data servers."""
        return sum(proxy.requests[verb] for proxy in self.data for verb in verbs)

    def replies(self, *verbs: str) -> int:
        """Return how many requests with these verbs the data servers have answered."""
        return sum(proxy.replies[verb] for proxy in self.data for verb in verbs)

    def heal(self) -> None:
        """Forward everything again."""
        for proxy in self._proxies.values():
            proxy.heal()

    def close(self) -> None:
        """Close every proxy."""
        for proxy in self._proxies.values():
            proxy.close()
        self._thread.stop()

    def _veiled(self, port: int) -> int:
        proxy = self._proxies.get(port)
        return port if proxy is None else proxy.port

    def _translate(self, verb: str, reply: bytes) -> bytes:
        if reply.startswith((b"-MOVED ", b"-ASK ")):
            return _PLACE.sub(lambda found: b":%d\r\n" % self._veiled(int(found[1])), reply)
        if verb not in {"CLUSTER", "SENTINEL"}:
            return reply

        def veiled(found: re.Match[bytes]) -> bytes:
            if found[2] is not None:
                return b":%d\r\n" % self._veiled(int(found[2]))
            port = b"%d" % self._veiled(int(found[1]))
            return b"$%d\r\n%b\r\n" % (len(port), port)

        return _NUMBER.sub(veiled, reply)
