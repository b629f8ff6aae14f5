"""``slotbook demo``: a trading day with a failover in the middle."""

from __future__ import annotations

from typing import Annotated

import typer

from ..repositories.positions.calls import totals
from ..topology.settings import TopologyKind
from .demo import run_demo
from .options import AsJson
from .output import print_json, screen
from .tables import totals_table


def demo(
    topology: Annotated[TopologyKind, typer.Option(help="What to start.")] = TopologyKind.CLUSTER,
    as_json: AsJson = False,
) -> None:
    """Play a trading day on private servers, kill a primary half-way, and count every fill."""
    console = screen()
    outcome = run_demo(topology.value, (lambda _: None) if as_json else console.print)
    audit = outcome.audit
    if as_json:
        print_json(outcome.as_json())
    else:
        console.print(totals_table(totals(outcome.positions).values()))
        for difference in audit.differences:
            console.print(difference)
        console.print(
            f"fills sent {audit.sent:,}, applied {audit.applied:,}, lost {audit.lost}, doubled {audit.doubled}",
            style="bold green" if audit.clean else "bold red",
        )
    if not audit.clean:
        raise typer.Exit(1)
