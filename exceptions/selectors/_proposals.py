"""What the decision layer proposes, on the way out that does it."""

from collections.abc import Sequence
from dataclasses import replace

from exceptions.rules.plays import Play
from inventory.models import Sourcing
from inventory.selectors import live_sourcings

PLAYS_OF = {
    "transfer": {"transfer"},
    "affiliate": {"transfer_group"},
    "buy": {"buy", "buy_expedited"},
    "drop_ship": {"buy", "buy_expedited"},
}


def proposed(plays: Sequence[Play], line_id: int) -> list[Play]:
    """Return the ways out of a shortage, those that the decision layer proposes saying so.

    One query.
    """
    found = [
        row
        for row in live_sourcings(kind="orders.line", ids=[line_id])
        if row.state == Sourcing.State.PROPOSED
    ]
    return [
        next((replace(play, proposed=_said(row)) for row in found if _does(play, row)), play)
        for play in plays
    ]


def _does(play: Play, row: Sourcing) -> bool:
    """Test if a way out does what is proposed: of the same supplier, where it buys."""
    supplier = play.facts.get("supplier_id")
    return play.key in PLAYS_OF[row.mode] and supplier in {None, row.supplier_id}


def _said(row: Sourcing) -> str:
    late = f"{row.days_late} days late" if row.days_late else "in time"
    said = (
        f"Proposed by allocation: {row.quantity.normalize():f} for {row.value:,.2f} {row.currency},"
        f" there by {row.arrives_on:%-d %b}, {late}."
    )
    if row.mode == "drop_ship":
        said += " Have the supplier send it straight to the customer."
    return f"{said} {row.why}" if row.why else said
