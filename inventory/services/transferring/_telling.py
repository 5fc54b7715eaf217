"""Words what happened to transfers: for the audit, for listeners, for what is expected."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from erp.governance.services import Change, record
from erp.kernel.sql import rows
from inventory.models import Transfer
from inventory.services._expecting import ExpectedGoods, expect_goods

if TYPE_CHECKING:
    from erp.accounts.models import User

KIND = "inventory.transfer"
LINE = "inventory.transferline"

# What of a line is still to come: what is asked for until it was picked, then what was picked and
# is not accounted for. Nothing comes of a transfer that ended.
OUTSTANDING = """
    SELECT l.id, t.to_entity_id, t.destination_id, l.product_id, t.expected_date, t.number,
        CASE
            WHEN t.state IN ('requested', 'received', 'closed', 'cancelled') THEN 0
            WHEN t.state = 'approved' THEN l.quantity
            ELSE coalesce(p.left_over, 0)
        END
    FROM inventory_transferline l
    JOIN inventory_transfer t ON t.id = l.transfer_id
    LEFT JOIN (
        SELECT line_id, sum(quantity - received - damaged - returned - lost) AS left_over
        FROM inventory_transferpiece GROUP BY line_id
    ) p ON p.line_id = l.id
    WHERE t.id = ANY(%s)
"""


def tell_destinations(transfer_ids: Collection[int]) -> None:
    """Let the destinations know what is on its way to them, as it stands now. Three statements."""
    found = rows(OUTSTANDING, [list(transfer_ids)])
    expect_goods(
        kind=LINE,
        goods=[
            ExpectedGoods(
                source_id=line_id,
                entity_id=entity_id,
                node_id=node_id,
                product_id=product_id,
                quantity=Decimal(quantity),
                expected_date=expected,
                label=number,
            )
            for line_id, entity_id, node_id, product_id, expected, number, quantity in found
        ],
    )


def change_of(
    transfer: Transfer, verb: str, before: str, *, reason: str = "", version: str = "", **after: Any
) -> list[Change]:
    """Return the audit lines of a step: one in each company that the transfer concerns."""
    owners = [transfer.entity_id]
    if transfer.is_sale:
        owners.append(transfer.to_entity_id)
    return [
        Change(
            entity_id=owner,
            action=f"inventory.{verb}",
            subject_kind=KIND,
            subject_id=transfer.pk,
            thread=f"{KIND}:{transfer.pk}",
            before={"state": before} if before else None,
            after={"number": transfer.number, "state": transfer.state, **after},
            reason=reason[:300],
            policy_version=version,
        )
        for owner in owners
    ]


def note(
    transfers: Sequence[Transfer],
    verb: str,
    before: str,
    actor: "User | None",
    now: datetime,
    *,
    reason: str = "",
) -> None:
    """Write one step of many transfers into the audit trail."""
    changes = [
        change for each in transfers for change in change_of(each, verb, before, reason=reason)
    ]
    record(changes=changes, actor=actor, now=now)


def facts(transfer: Transfer) -> dict[str, Any]:
    """Return what every fact about a transfer says."""
    return {
        "transfer_id": transfer.pk,
        "number": transfer.number,
        "entity_id": transfer.entity_id,
        "to_entity_id": transfer.to_entity_id,
        "origin_id": transfer.origin_id,
        "destination_id": transfer.destination_id,
    }
