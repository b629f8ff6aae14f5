# Generated from topology/_async/backend.py by scripts/generate_sync.py: edit that one.
"""Carries calls to whoever is in charge of their slot, until each is settled or the deadline has passed.

The first try of a call goes straight to its node. Only when the answer is not a value does tenacity take over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar, cast

from redis.exceptions import RedisError
from tenacity import Retrying

from ...models.errors import SlotbookError, Unavailable
from ...models.results import Outcome
from ..address import Address
from ..batch import Batch, Pace
from ..call import Call, Wish, pack
from ..directory import Directory, NobodyKnows, Questions, directory_for
from ..durability import LOCAL, Durability
from ..embedded import Deployment, start
from ..reads import Reads, reads_of
from ..retry import Again, policy
from ..settings import Settings, Target, read
from ..shards import Shards
from ..verdict import Cure, Trouble, Unanswered, Unsent, cure_for, nobody_there, report
from .colour import Turn, blocking
from .link import Answer, Job, Link, exchange_all

T = TypeVar("T")

CALLS_AT_ONCE = 5_000
"""Calls of one batch that are in flight together: more would only wait in the servers' buffers."""


def open_backend(source: str | Settings | None = None) -> Backend:
    """Find the servers of a URL or Settings and log in; ``embedded://`` starts them first.

    Raises InvalidSettings, AccessDenied, Unavailable or EmbeddedError, within the deadline.
    """
    target = read(source)
    deployment: Deployment | None = None
    if target.embedded:
        deployment = blocking(lambda: start(target.kind.value, server=target.settings.server))
        target = read(target.settings.for_private_servers(deployment.url))
    backend = Backend(target, deployment)
    try:
        backend.open()
    except BaseException:
        backend.close()
        raise
    return backend


class Attached(Protocol):
    """What works with a backend and ends with it."""

    def close(self) -> None:
        """End it."""
        ...


class Backend:
    """The servers of one target; shared by any number of repositories."""

    def __init__(self, target: Target, deployment: Deployment | None = None) -> None:
        self.deployment = deployment
        """The private servers that this backend runs on, for ``embedded://``; they end when it is closed."""
        self.settings: Settings = target.settings
        self._patience = min(target.settings.socket_timeout, target.settings.deadline)
        self.target = target
        """The URL that it was opened with, understood."""
        self._directory: Directory = directory_for(target)
        self._links: dict[Address, Link] = {}
        self._waiting_links: dict[Address, Link] = {}
        """Apart, for calls that wait for replicas: on a shared connection everyone else would wait with them."""
        self._sentinels: dict[Address, Link] = {}
        self._turn = Turn()
        self._discoveries = 0
        self._reached = False
        self._attached: list[Attached] = []

    def open(self) -> None:
        """Find the servers and log in. Raises AccessDenied, InvalidSettings or Unavailable within the deadline."""
        call = Call("connect", ("",), 0, pack(("PING",)), lambda _: None, readonly=True, repeatable=True)
        batch = Batch((call,), self._directory, time.monotonic() + self.settings.deadline)
        batch.stale = True
        self._settle(batch)
        batch.outcomes()[0].result()
        self._reached = True

    def run(self, call: Call[T], durability: Durability = LOCAL) -> T:
        """One call, one round trip when all is well. Raises a SlotbookError."""
        if durability is not LOCAL and durability.wanted:
            return (self.run_many((call,), durability))[0].result()
        began = time.monotonic()
        address = self._directory.locate(call.slot)
        answer: Answer = None
        if address is not None:
            link = self._links.get(address) or self._link(address)
            (answer,) = link.exchange(call.packed, 1, self._patience)
            if not isinstance(answer, (Unsent, Unanswered, RedisError)):
                return call.decode(answer)
        batch = Batch((call,), self._directory, began + self.settings.deadline)
        if address is not None:
            batch.settle(batch.items[0], answer, address)
            batch.clear()
        self._settle(batch)
        return batch.outcomes()[0].result()

    def run_many(
        self, calls: Sequence[Call[T]] | Sequence[Wish[T]], durability: Durability = LOCAL
    ) -> list[Outcome[T]]:
        """Many calls: one outcome each, in the order given. Raises nothing of its own.

        One round trip per node for every 5,000 calls. A call's deadline counts from when its turn came.
        """
        if not durability.wanted and all(call.readonly for call in calls):
            return self.read_many(reads_of(cast("Sequence[Call[T]]", calls)))
        outcomes: list[Outcome[T]] = []
        for begin in range(0, len(calls), CALLS_AT_ONCE):
            several = calls[begin : begin + CALLS_AT_ONCE]
            ends_at = time.monotonic() + self.settings.deadline
            batch = Batch(several, self._directory, ends_at, durability, self.settings.replication_wait)
            self._rounds(batch)
            self._settle(batch)
            outcomes.extend(batch.outcomes())
        return outcomes

    def read_many(self, reads: Reads[T]) -> list[Outcome[T]]:
        """Many reads: as ``run_many``."""
        outcomes: list[Outcome[T]] = []
        for begin in range(0, len(reads.slots), CALLS_AT_ONCE):
            outcomes.extend(self._read(reads, range(begin, min(begin + CALLS_AT_ONCE, len(reads.slots)))))
        return outcomes

    def scan(self, pattern: str) -> set[str]:
        """The keys of the whole store that match: SCAN on every primary, and once more when one of them was replaced
        meanwhile. The deadline counts from the last page. Raises a SlotbookError.
        """
        found: set[str] = set()
        progress = [time.monotonic()]
        reason: Exception | None = None
        try:
            for attempt in Retrying(**policy(lambda: progress[0] + self.settings.deadline, self.settings.deadline)):
                with attempt:
                    try:
                        self._scan_all(pattern, found, progress)
                    except NobodyKnows as error:
                        reason = error
                        raise Again(Pace.PAUSE) from error
        except Again as error:
            raise Unavailable(
                f"scan: no answer within {self.settings.deadline:g} s (last: {reason or error})"
            ) from None
        return found

    def locate(self, slot: int) -> Address | None:
        """Who is in charge of a slot as far as is known; asks nobody."""
        return self._directory.locate(slot)

    def survey(self) -> tuple[Address, ...]:
        """Every primary, found out anew within the socket timeout. Raises a SlotbookError."""
        try:
            self._discover(time.monotonic() + self.settings.socket_timeout)
        except NobodyKnows as error:
            raise Unavailable(str(error)) from error
        return self._directory.primaries()

    def shards(self, *, fresh: bool = False) -> Shards:
        """Every primary, by a hash tag that lives there; ``fresh`` finds out anew where that can change. Raises
        Unavailable.
        """
        if fresh and self._directory.migrates:
            self.survey()
        return self._directory.shards()

    def attach(self, part: Attached) -> None:
        """Have something that works with this backend closed just before its connections are."""
        self._attached.append(part)

    def detach(self, part: Attached) -> None:
        """Leave something to close itself, or to have done so."""
        if part in self._attached:
            self._attached.remove(part)

    def close(self) -> None:
        """Close every connection, and stop the private servers if there are any."""
        while self._attached:
            self._attached.pop().close()
        for link in (*self._links.values(), *self._waiting_links.values(), *self._sentinels.values()):
            link.close()
        if self.deployment is not None:
            blocking(self.deployment.stop)

    def _scan_all(self, pattern: str, found: set[str], progress: list[float]) -> None:
        self._discover(progress[0] + self.settings.deadline)
        scanned = self._directory.primaries()
        for address in scanned:
            cursor = "0"
            while True:
                packed = pack(("SCAN", cursor, "MATCH", pattern, "COUNT", 1000))
                (answer,) = self._link(address).exchange(packed, 1, self.settings.socket_timeout)
                if isinstance(answer, (Unsent, Unanswered, RedisError)):
                    if cure_for(answer) is Cure.REPORT:
                        raise report(f"scan of {address}", answer)
                    raise Again(Pace.PAUSE) from answer.cause if isinstance(answer, (Unsent, Unanswered)) else answer
                cursor, page = cast("tuple[str, list[str]]", answer)
                found.update(page)
                progress[0] = time.monotonic()
                if cursor == "0":
                    break
        self._discover(progress[0] + self.settings.deadline)
        if self._directory.primaries() != scanned:
            raise Again(Pace.PAUSE)

    def _read(self, reads: Reads[T], numbers: range) -> list[Outcome[T]]:
        """Some of the reads: one round trip per node, and a batch only of those that went wrong."""
        began = time.monotonic()
        routes: dict[Address, list[int]] = {}
        locate, slots, packed, decode = self._directory.locate, reads.slots, reads.packed, reads.decode
        for number in numbers:
            address = locate(slots[number])
            if address is not None:
                routes.setdefault(address, []).append(number)
        outcomes: dict[int, Outcome[T]] = {}
        troubles: dict[int, tuple[Trouble, Address]] = {}

        def reader(address: Address, route: list[int]) -> Callable[[Answer], None]:
            numbered = iter(route)

            def take(answer: Answer) -> None:
                number = next(numbered)
                if isinstance(answer, (Unsent, Unanswered, RedisError)):
                    troubles[number] = answer, address
                    return
                try:
                    outcomes[number] = Outcome(decode(number, answer))
                except SlotbookError as error:
                    outcomes[number] = Outcome(error=error)

            return take

        jobs = [
            Job(
                self._link(address),
                (b"".join([packed[number] for number in route]),),
                len(route),
                reader(address, route),
            )
            for address, route in routes.items()
        ]
        exchange_all(jobs, self._patience)
        left = [number for number in numbers if number not in outcomes]
        if left:
            batch = Batch([reads.call(number) for number in left], self._directory, began + self.settings.deadline)
            for number, item in zip(left, batch.items, strict=True):
                if number in troubles:
                    batch.settle(item, *troubles[number])
            batch.clear()
            self._settle(batch)
            for number, outcome in zip(left, batch.outcomes(), strict=True):
                outcomes[number] = outcome
        return [outcomes[number] for number in numbers]

    def _rounds(self, batch: Batch[T]) -> None:
        """Rounds until nothing is left, or a server has said that it must be waited or looked for."""
        while batch.pending:
            if batch.pace is Pace.ON:
                batch.ends_at = time.monotonic() + self.settings.deadline
            parcels = batch.plan()
            jobs = [
                Job(
                    self._link(parcel.address, batch.proves),
                    parcel.payload,
                    parcel.replies,
                    partial(batch.heed, parcel),
                )
                for parcel in parcels
            ]
            patience = self.settings.socket_timeout + batch.replication_wait
            exchange_all(jobs, max(0.001, min(patience, batch.ends_at - time.monotonic())))
            batch.clear()
            if batch.pace is not Pace.ON:
                return

    def _settle(self, batch: Batch[T]) -> None:
        """Try again, under tenacity, until every call of the batch has its outcome."""
        if not batch.pending:
            return
        reason: Exception | None = None
        try:
            for attempt in Retrying(**policy(lambda: batch.ends_at, self.settings.deadline)):
                with attempt:
                    if batch.stale:
                        try:
                            self._discover(batch.ends_at)
                        except NobodyKnows as error:
                            reason = error
                            self._fail_fast(error)
                            raise Again(Pace.PAUSE) from error
                        batch.stale = False
                    self._rounds(batch)
                    if batch.pending:
                        raise Again(batch.pace)
        except Again:
            batch.give_up(self.settings.deadline, reason)
        except SlotbookError as error:
            batch.fail(error)

    def _fail_fast(self, error: NobodyKnows) -> None:
        # A server that was there may come back; an address where nobody ever answered is more likely a wrong one.
        if not self._reached and all(nobody_there(cause) for cause in error.causes):
            asked = "is a server running there, and is the address right?"
            raise Unavailable(f"{error}; {asked}{' Does it speak TLS?' if self.target.tls else ''}")

    def _discover(self, ends_at: float) -> None:
        """Bring the directory up to date; of several who ask at once, one does it. Raises NobodyKnows."""
        seen = self._discoveries
        if not self._turn.take(max(0.001, ends_at - time.monotonic())):
            return
        try:
            if seen != self._discoveries:
                return
            discovery = self._directory.discover()
            questions = next(discovery, None)
            while questions is not None:
                patience = min(questions.patience, self.settings.socket_timeout)
                answers: list[list[Answer]] = [[] for _ in questions.addresses]
                jobs = [
                    Job(link, (questions.packed,), questions.commands, answer.append)
                    for link, answer in zip(self._links_for(questions), answers, strict=True)
                ]
                exchange_all(jobs, max(0.001, min(patience, ends_at - time.monotonic())))
                try:
                    questions = discovery.send(answers)
                except StopIteration:
                    questions = None
            self._discoveries += 1
        finally:
            self._turn.release()
        in_charge = self._directory.primaries()
        for links in (self._links, self._waiting_links):
            for address in set(links).difference(in_charge):
                if (link := links.pop(address, None)) is not None:  # another thread may have been faster
                    link.retire()

    def _link(self, address: Address, waits: bool = False) -> Link:
        links = self._waiting_links if waits else self._links
        link = links.get(address)
        if link is None:
            link = links.setdefault(
                address, Link(self.target, address, primary=self._directory.must_be_primary, waits=waits)
            )
        return link

    def _links_for(self, questions: Questions) -> list[Link]:
        if not questions.of_sentinels:
            return [self._link(address) for address in questions.addresses]
        for address in questions.addresses:
            if address not in self._sentinels:
                self._sentinels[address] = Link(self.target, address, of_sentinel=True)
        return [self._sentinels[address] for address in questions.addresses]
