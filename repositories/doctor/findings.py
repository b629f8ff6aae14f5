"""The verdicts of a doctor, and all findings of one examination. Nothing here does I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The weight of a finding, the heaviest first."""

    BAD = "bad"
    """Something is lost, refused or not answered, or will be at the next failure."""
    RISK = "risk"
    """Something works now and will not when more comes together."""
    UNSEEN = "unseen"
    """The user may not look, or the server does not tell: nothing is known."""
    NOTE = "note"
    """Nothing is wrong; whoever runs the book may want to know."""
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Opinion:
    """The judgement of one check on one server."""

    verdict: Verdict
    value: str
    """The setting or measure that was looked at, without any secret."""
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One opinion, and the servers that it is about.

    ::

        for finding in book.doctor().findings:
            print(finding.verdict, finding.check, finding.value, finding.remedy)
    """

    check: str
    """The name of the check, such as ``eviction policy``."""
    verdict: Verdict
    value: str
    """The setting or measure that was looked at, without any secret."""
    why: str
    """The reason why that matters; empty when all is good."""
    remedy: str
    """The setting, command or permission that helps; empty when all is good."""
    servers: tuple[str, ...]
    """The addresses of the servers that it is about."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that an examination has found, the heaviest first."""

    findings: tuple[Finding, ...]
    servers: tuple[tuple[str, str], ...]
    """The address of each server that was asked, and its part: primary, replica or sentinel."""

    def of(self, *verdicts: Verdict) -> tuple[Finding, ...]:
        """Return the findings with one of some verdicts."""
        return tuple(one for one in self.findings if one.verdict in verdicts)

    @property
    def is_good(self) -> bool:
        """True when nothing is bad and nothing a risk; what could not be seen is neither."""
        return not self.of(Verdict.BAD, Verdict.RISK)

    @property
    def is_complete(self) -> bool:
        """True when everything could be seen."""
        return not self.of(Verdict.UNSEEN)


def bad(value: str, why: str, remedy: str) -> Opinion:
    """Return the opinion that something is lost, refused or not answered, or will be at the next failure."""
    return Opinion(Verdict.BAD, value, why, remedy)


def risk(value: str, why: str, remedy: str) -> Opinion:
    """Return the opinion that something works now and will not when more comes together."""
    return Opinion(Verdict.RISK, value, why, remedy)


def note(value: str, why: str, remedy: str = "") -> Opinion:
    """Return the opinion that nothing is wrong, with what whoever runs the book may want to know."""
    return Opinion(Verdict.NOTE, value, why, remedy)


def good(value: str) -> Opinion:
    """Return the opinion that all is good."""
    return Opinion(Verdict.GOOD, value)
