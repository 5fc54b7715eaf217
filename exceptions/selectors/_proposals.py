"""What the decision layer proposes, on the way out that does it."""

from collections.abc import Sequence
from dataclasses import replace

from exceptions.rules.plays import Play
from inventory.models import Sourcing
from inventory.selectors import live_sourcings

PLAY_OF = {"transfer": "transfer", "affiliate": "transfer_group", "buy": "buy", "drop_ship": "buy"}


def proposed(plays: Sequence[Play], line_id: int) -> list[Play]:
    """Return the ways out of a shortage, those that the decision layer proposes saying so.

    One query.
    """
    found = {
        PLAY_OF[row.mode]: row
        for row in live_sourcings(kind="orders.line", ids=[line_id])
        if row.state == Sourcing.State.PROPOSED and row.mode in PLAY_OF
    }
    return [
        replace(play, proposed=_said(found[play.key])) if play.key in found else play
        for play in plays
    ]


def _said(row: Sourcing) -> str:
    late = f"{row.days_late} days late" if row.days_late else "in time"
    said = (
        f"Proposed by allocation: {row.quantity.normalize():f} for {row.value:,.2f} {row.currency},"
        f" there by {row.arrives_on:%-d %b}, {late}."
    )
    if row.mode == "drop_ship":
        said += " Have the supplier send it straight to the customer."
    return f"{said} {row.why}" if row.why else said
