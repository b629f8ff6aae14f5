"""Check the slots of a cluster: is each served, are some on their way, and does one have most of the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...topology.call import Reply
from .examined import PRIMARIES, Check, Deployment, Examined, NotTold, pairs
from .findings import Opinion, bad, good, note, risk
from .queries import BUSIEST_SLOT, INFO, LARGEST_SLOT, NODES, Query, keys_in
from .versions import release

SLOTS = 16_384
HOT = 0.5
MANY_KEYS = 10_000
MUCH_TIME = 1_000_000
"""Microseconds of work below which no slot is hot."""


def _lines(server: Examined) -> list[list[str]]:
    text = server.reply(NODES)
    lines = [line.split() for line in text.splitlines()] if isinstance(text, str) else []
    if not lines or any(len(words) < 8 for words in lines):
        raise NotTold(NODES.name)
    return lines


def _served(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    lost, failed = set(range(SLOTS)), set[int]()
    for words in _lines(server):
        slots = {slot for word in words[8:] if not word.startswith("[") for slot in _range(word)}
        lost -= slots
        if "fail" in words[2].split(","):
            failed |= slots
    if lost:
        yield bad(
            f"{len(lost):,} of no server: {_shown(lost)}",
            "the books of these slots cannot be reached, and with cluster-require-full-coverage yes no book can",
            "give them to a primary (CLUSTER ADDSLOTSRANGE, or redis-cli --cluster fix); is a part of the data lost?",
        )
    if failed:
        yield bad(
            f"{len(failed):,} of a server that failed: {_shown(failed)}",
            "the books of these slots cannot be reached until a replica takes over or the server is back",
            "start the server, or CLUSTER FAILOVER TAKEOVER on its replica",
        )
    if not lost and not failed:
        yield good(f"all {SLOTS:,} served")


def _nodes(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    trouble = {"fail", "fail?", "noaddr", "handshake"}
    gone = sorted(
        f"{words[1].partition('@')[0] or 'a node without address'} {flag}"
        for words in _lines(server)
        for flag in words[2].split(",")
        if flag in trouble
    )
    if gone:
        yield bad(
            ", ".join(gone),
            "these nodes of the cluster are not reached by the others: they take over nothing and vote for nobody",
            "start them, or CLUSTER FORGET what is gone for good on every node",
        )
    else:
        yield good(f"{len(_lines(server))} nodes")


def _moving(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    words = [word.strip("[]") for line in _lines(server) for word in line[8:] if word.startswith("[")]
    if words:
        slots = {int(word.partition("-")[0]) for word in words}
        yield risk(
            f"{len(slots):,} on their way: {_shown(slots)}",
            "changes of books in a slot that moves key by key wait until it has moved, to the deadline at most",
            "finish the move, or end it: CLUSTER SETSLOT … STABLE on both nodes, redis-cli --cluster fix",
        )
    else:
        yield good("none")


def _hot(server: Examined, deployment: Deployment) -> Iterator[Opinion]:
    if (lacking := server.answers[LARGEST_SLOT]).failure is not None and not lacking.denied:
        yield note("not known", f"{release(server)} has no CLUSTER SLOT-STATS")
        return
    found = False
    total = sum(int(row.get("keys", "0")) for row in server.rows("db"))
    slot, keys = _top(server, LARGEST_SLOT, "key-count")
    if keys >= MANY_KEYS and keys > total * HOT:
        found = True
        yield _crowded(server, slot, f"{keys / total:.0%} of {total:,} keys")
    if (answer := server.answers.get(BUSIEST_SLOT)) is not None and answer.failure is None:  # it has to be enabled
        slot, micros = _top(server, BUSIEST_SLOT, "cpu-usec")
        all_micros = 1e6 * (server.number("used_cpu_user") + server.number("used_cpu_sys"))
        if micros >= MUCH_TIME and micros > all_micros * HOT:
            found = True
            yield _crowded(server, slot, f"{micros / all_micros:.0%} of the server's time")
    if not found:
        yield good("none")


def _crowded(server: Examined, slot: int, share: str) -> Opinion:
    answer = server.answers.get(keys_in(slot))
    traders = _traders(answer.reply) if answer is not None else []
    whose = f" ({', '.join(traders)})" if traders else ""
    return risk(
        f"slot {slot}{whose}: {share}",
        "one slot is on one server and cannot be divided: more servers do not make it faster",
        "move its neighbours away; spread the work over several traders, or keep less of it (events_kept, order_ttl)",
    )


def hottest(server: Examined) -> list[int]:
    """Return the slots that may be hot, so that the names of some of their keys can be asked for."""
    found: list[int] = []
    for query, what in ((LARGEST_SLOT, "key-count"), (BUSIEST_SLOT, "cpu-usec")):
        try:
            found.append(_top(server, query, what)[0])
        except NotTold:
            continue
    return found


def _top(server: Examined, query: Query, what: str) -> tuple[int, int]:
    match server.reply(query):
        case [[int(slot), [*rest]]]:
            amount = pairs(rest).get(what, "")
            if amount.isdecimal():
                return slot, int(amount)
            raise NotTold(f"{query.name} {what}")
        case _:
            raise NotTold(query.name)


def _traders(keys: Reply) -> list[str]:
    """Return the hash tags of keys, the most frequent first, at most three."""
    names = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    named = [tag for key in names if (tag := key.partition("{")[2].partition("}")[0])]
    return sorted(dict.fromkeys(named), key=lambda tag: -named.count(tag))[:3]


def _range(word: str) -> range:
    first, dash, last = word.partition("-")
    return range(int(first), int(last if dash else first) + 1)


def _shown(slots: Iterable[int]) -> str:
    """Return slots as ranges, at most five of them.

    >>> _shown({1, 2, 3, 7})
    '1-3, 7'
    """
    ranges: list[list[int]] = []
    for slot in sorted(slots):
        if ranges and ranges[-1][1] == slot - 1:
            ranges[-1][1] = slot
        else:
            ranges.append([slot, slot])
    texts = [f"{first}-{last}" if first < last else f"{first}" for first, last in ranges]
    return ", ".join(texts[:5]) + (", …" if len(texts) > 5 else "")


CHECKS = (
    Check("slots", PRIMARIES, (NODES,), _served),
    Check("nodes", PRIMARIES, (NODES,), _nodes),
    Check("moving slots", PRIMARIES, (NODES,), _moving),
    Check("hot slots", PRIMARIES, (INFO,), _hot),
)
"""Checks of a cluster; nobody else has slots."""
