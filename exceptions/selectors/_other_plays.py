"""The ways out of the other cases, priced."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.accounts.models import Role
from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import CENT, NOTHING
from exceptions.rules.plays import Loser, Play
from finance import permissions as finance_permissions
from inventory import permissions as inventory_permissions
from orders import permissions as orders_permissions

HOLD = """
    SELECT h.id, h.kind, h.owner_role, o.id AS order_id, o.number, o.total, o.currency,
           o.requested_date, o.entity_id, a.credit_limit,
           a.receivable + a.unbilled + a.committed - a.unapplied + o.total AS exposure
    FROM orders_hold h
    JOIN orders_order o ON o.id = h.order_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    WHERE h.id = %(id)s AND h.state = 'active'
"""
SHORT_PICK = """
    SELECT sl.id, sh.entity_id, sh.node_id, sl.product_id, p.code AS product, e.currency,
           st.lot_id, st.status, least(sl.quantity - sl.picked, st.on_hand) AS quantity,
           least(sl.quantity - sl.picked, st.on_hand)
               * coalesce(pc.value / nullif(pc.quantity, 0), 0) AS value
    FROM inventory_shipmentline sl
    JOIN inventory_shipment sh ON sh.id = sl.shipment_id
    JOIN accounts_entity e ON e.id = sh.entity_id
    JOIN inventory_product p ON p.id = sl.product_id
    JOIN inventory_stock shelf ON shelf.id = sl.stock_id
    JOIN inventory_stock st ON st.product_id = sl.product_id AND st.node_id = sh.node_id
        AND st.entity_id = sh.entity_id AND st.on_hand > 0
        AND coalesce(st.lot_id, 0) = coalesce(shelf.lot_id, 0)
        AND st.status = CASE sl.short_reason WHEN 'damaged' THEN 'damaged'
                        WHEN 'expired' THEN 'quarantine' ELSE 'inspection' END
    LEFT JOIN inventory_productcost pc ON pc.product_id = sl.product_id
        AND pc.entity_id = sh.entity_id
    WHERE sl.id = %(id)s AND sl.picked < sl.quantity
"""
PURCHASE = """
    SELECT po.id, po.number, po.total, po.currency, po.expected_date, a.permission, a.role
    FROM procurement_purchaseorder po
    JOIN governance_approval a ON a.document_kind = 'procurement.order'
        AND a.document_id = po.id AND a.state = 'pending'
    WHERE po.id = %(id)s AND po.state = 'pending'
"""

Row = Mapping[str, Any]


def hold_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a held order: let it go once, or cancel it. One query."""
    return [
        play
        for row in records(HOLD, {"id": case.subject_id})
        for play in (release(row, case.party), cancel(row, case.party))
    ]


def release(row: Row, party: str) -> Play:
    owner = role_label(row["owner_role"])
    if row["kind"] != "credit":
        said = "It goes on to allocation as it is."
    elif row["credit_limit"]:
        share = row["exposure"] / row["credit_limit"] * 100
        said = (
            f"{party} would owe {row['exposure']:,.2f} {row['currency']}, {share:.1f} % of the"
            " limit. The next order is checked again."
        )
    else:
        said = f"{party} has no credit limit; {row['exposure']:,.2f} {row['currency']} in all."
    return Play(
        key="release",
        title=f"Release {row['number']} once",
        detail=said,
        cost=NOTHING,
        currency=row["currency"],
        permission=orders_permissions.RELEASE,
        gate=f"{owner}, and not the order's author",
        new_date=row["requested_date"],
        facts={"hold_id": row["id"], "owner_role": row["owner_role"]},
    )


def cancel(row: Row, party: str) -> Play:
    return Play(
        key="cancel",
        title=f"Cancel {row['number']}",
        detail="Nothing is reserved or owed any more. The sale is lost.",
        cost=NOTHING,
        currency=row["currency"],
        permission=orders_permissions.CANCEL,
        gate="Customer service, order desk or operations lead",
        losers=(
            Loser(
                name=party,
                what=f"the whole order, {row['total']:,.2f} {row['currency']}",
                amount=row["total"],
            ),
        ),
        facts={"order_id": row["order_id"]},
    )


def short_pick_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about stock that was not there to pick. One query."""
    plays = []
    for row in records(SHORT_PICK, {"id": case.subject_id}):
        quantity = f"{row['quantity'].normalize():f} {row['product']}"
        facts = {
            "entity_id": row["entity_id"], "node_id": row["node_id"],
            "product_id": row["product_id"], "lot_id": row["lot_id"], "status": row["status"],
            "quantity": str(row["quantity"]),
        }  # fmt: skip
        common: dict[str, Any] = {
            "currency": row["currency"], "permission": inventory_permissions.ADJUST,
            "gate": "Operations lead or controller", "facts": facts,
        }  # fmt: skip
        value = Decimal(row["value"]).quantize(CENT)
        plays.append(
            Play(
                key="put_back",
                title=f"Put {quantity} back on the shelf",
                detail="They were found, and are fit to sell.",
                cost=NOTHING,
                **common,
            )
        )
        plays.append(
            Play(
                key="write_off",
                title=f"Write off {quantity}",
                detail=f"They are gone: {value:,.2f} {row['currency']} of stock is lost.",
                cost=value,
                **common,
            )
        )
    return plays


def billing_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a shipment that stands on no invoice."""
    return [
        Play(
            key="invoice",
            title=f"Invoice {case.subject_label} now",
            detail="The invoice is numbered, posted and sent as it would have been.",
            cost=NOTHING,
            currency=case.currency,
            permission=finance_permissions.POST_INVOICE,
            gate="Accounts receivable or controller",
            facts={"shipment_id": case.subject_id},
        )
    ]


def delivery_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a fact that its handler could not take."""
    return [
        Play(
            key="replay",
            title="Deliver it again",
            detail="From the first try, once what hindered it is mended.",
            cost=NOTHING,
            currency=case.currency,
            permission="",
            gate="Whoever works this case",
            facts={"delivery_id": case.subject_id},
        )
    ]


def approval_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a purchase order that waits for approval. One query."""
    return [
        Play(
            key="approve",
            title=f"Approve {row['number']}",
            detail=(
                f"Buys for {row['total']:,.2f} {row['currency']},"
                f" expected {row['expected_date']:%-d %b}."
            ),
            cost=NOTHING,
            currency=row["currency"],
            permission=row["permission"],
            gate=f"{role_label(row['role'])}, and not who asked for it",
            new_date=row["expected_date"],
            facts={"order_id": row["id"]},
        )
        for row in records(PURCHASE, {"id": case.subject_id})
    ]


def role_label(role: str) -> str:
    return str(Role(role).label) if role in Role.values else role or "Whoever holds the right"
