"""What the decision layer proposes, on the way out that does it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exceptions.rules.plays import Play
from exceptions.selectors._sourcing_plays import earned, lateness
from inventory.models import Sourcing
from inventory.selectors import live_sourcings
from procurement import permissions as procurement_permissions

PLAYS_OF = {
    "transfer": {"transfer"},
    "affiliate": {"transfer_group"},
    "buy": {"buy", "buy_expedited"},
    "drop_ship": set(),
}


def proposed(plays: Sequence[Play], line: Mapping[str, Any], party: str) -> list[Play]:
    """Return the ways out of a shortage, those that the decision layer proposes saying so.

    That a supplier sends it straight to the customer is a way out only where the layer proposes it.

    One query.
    """
    found = [
        row
        for row in live_sourcings(kind="orders.line", ids=[line["id"]])
        if row.state == Sourcing.State.PROPOSED
    ]
    own = [
        drop_shipment(line, row, party)
        for row in found
        if row.mode == "drop_ship" and row.buys <= row.quantity <= line["missing"]
    ]
    return own + [
        next((replace(play, proposed=_said(row)) for row in found if _does(play, row)), play)
        for play in plays
    ]


def drop_shipment(line: Mapping[str, Any], row: Sourcing, party: str) -> Play:
    """Return the play of having the supplier send it straight to the customer."""
    late, penalty, losers = lateness(
        line, row.quantity, (row.arrives_on - line["due_date"]).days, party
    )
    quantity = f"{row.quantity.normalize():f}"
    return Play(
        key="drop_ship",
        title=f"Have the supplier send {quantity} straight to the customer",
        detail=f"For {row.value:,.2f} {row.currency}, at {line['number']}'s address"
        + (f"; penalty {penalty:,.2f} for {late} days." if penalty else "."),
        cost=penalty + max(Decimal(0), row.cost),
        currency=row.currency,
        permission=procurement_permissions.WRITE,
        gate="Buyer or planner, and whoever approves the purchase",
        new_date=row.arrives_on,
        margin=earned(line, row.quantity) - row.value - penalty,
        losers=losers,
        is_complete=row.quantity >= line["missing"],
        proposed=_said(row),
        facts={
            "line_id": line["id"], "sourcing_id": row.pk, "missing": str(row.quantity),
            "quantity": str(row.quantity), "value": str(row.value), "order": line["number"],
            "promised": str(line["promised_date"] or ""),
        },
    )  # fmt: skip


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
    return f"{said} {row.why}" if row.why else said
