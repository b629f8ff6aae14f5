"""Check how busy servers are: clocks, slow commands, pauses and clients."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...topology.call import Reply
from .examined import DATA, Check, Deployment, Examined, NotTold
from .findings import Opinion, bad, good, note, risk
from .queries import CONFIG, INFO, LATENCY, SLOW_LOG

CLOCK_OFF = 1.0
"""Seconds."""
CLOCK_FAR_OFF = 60.0
RECENT = 3_600
"""Seconds for which something slow is worth a finding."""
SLOW = 100_000
"""Microseconds for which a command may stop everybody else."""
PAUSE = 100
"""Milliseconds, the same for anything else that the server does."""
CROWDED = 0.8


def _clock(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.clock is None:
        raise NotTold("TIME")
    ahead = server.clock.ahead
    value = "in step" if abs(ahead) < CLOCK_OFF else f"{abs(ahead):,.1f} s {'ahead' if ahead > 0 else 'behind'}"
    why = "expiries, leases and limits go by the server's clock: they end too early or late, and jump at a failover"
    remedy = "let NTP set the clocks of all machines, this one's too"
    if abs(ahead) >= CLOCK_FAR_OFF:
        yield bad(value, why, remedy)
    elif abs(ahead) >= CLOCK_OFF:
        yield risk(value, why, remedy)
    else:
        yield good(value)


def _round_trip(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.clock is None:
        raise NotTold("TIME")
    seconds, timeout = server.clock.seconds, deployment.settings.socket_timeout
    if seconds > timeout / 4:
        yield risk(
            f"{seconds * 1_000:,.0f} ms",
            f"a reply that takes longer than socket_timeout, {timeout:g} s, counts as lost, and its server as gone",
            "find out what is slow, the network or the server; or raise socket_timeout",
        )
    else:
        yield good(f"{seconds * 1_000:.2f} ms")


def _slow_log(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.amount("slowlog-log-slower-than") < 0:
        yield risk(
            "off", "nobody will know which command stopped the server", "CONFIG SET slowlog-log-slower-than 10000"
        )
        return
    now = _now(server)
    rows = server.reply(SLOW_LOG)
    slow: list[tuple[int, str]] = []
    for row in rows if isinstance(rows, list) else []:
        match row:
            case [_, int(at), int(micros), [str(command), *_], *_] if micros >= SLOW and now - at <= RECENT:
                slow.append((micros, command.upper()))
            case _:
                pass
    if slow:
        longest, command = max(slow)
        yield risk(
            f"{len(slow)} in the last hour, the longest {command} with {longest / 1_000:,.0f} ms",
            "the server does one thing at a time: all other calls waited for that long",
            "SLOWLOG GET shows them whole; KEYS, large ranges and scripts of others are usual",
        )
    else:
        yield good(f"none over {SLOW // 1_000} ms in the last hour")


def _latency(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if server.amount("latency-monitor-threshold") == 0:
        yield note(
            "off", "pauses by forks, disks and expiries are not noted", "CONFIG SET latency-monitor-threshold 100"
        )
        return
    now = _now(server)
    events = server.reply(LATENCY)
    found = [event for event in events if _is_pause(event, now)] if isinstance(events, list) else []
    if found:
        yield risk(
            ", ".join(f"{event[0]} {event[3]:,} ms" for event in found if isinstance(event, list)),
            "the server was busy with itself for that long in the last hour, and all calls waited",
            "LATENCY DOCTOR explains each event",
        )
    else:
        yield good(f"no pause over {PAUSE} ms in the last hour")


def _is_pause(event: Reply, now: float) -> bool:
    match event:
        case [str(), int(at), int(latest), int(), *_]:
            return latest >= PAUSE and now - at <= RECENT
        case _:
            return False


def _clients(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    connected, most = server.number("connected_clients"), server.number("maxclients")
    value = f"{connected:,.0f} of {most:,.0f}"
    if connected >= most * CROWDED:
        yield risk(
            value,
            "when all places are taken, every new connection is refused, also those after a failover",
            "raise maxclients and the system's limit of open files, or lower pool_size",
        )
    elif deployment.settings.pool_size >= most * CROWDED:
        yield risk(
            f"{value}, pool_size {deployment.settings.pool_size}",
            "one book alone may take all places",
            "raise maxclients, or lower pool_size",
        )
    else:
        yield good(value)


def _rejected(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    count = server.number("rejected_connections")
    if count:
        yield risk(
            f"{count:,.0f} since the start",
            "connections were refused because maxclients was reached",
            "raise maxclients and the system's limit of open files; CLIENT LIST shows who has them",
        )
    else:
        yield good("none")


def _now(server: Examined) -> float:
    return server.clock.server if server.clock else time.time()


CHECKS = (
    Check("clock", DATA, (), _clock),
    Check("round trip", DATA, (), _round_trip),
    Check("slow log", DATA, (CONFIG, SLOW_LOG), _slow_log),
    Check("pauses", DATA, (CONFIG, LATENCY), _latency),
    Check("clients", DATA, (INFO,), _clients),
    Check("refused connections", DATA, (INFO,), _rejected),
)
