"""The ways out of what is wrong in the house itself: duties, months, prices."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from erp.accounts.models import Role
from erp.governance import permissions as governance_permissions
from erp.governance.selectors import duty_conflicts
from erp.kernel.sql import records
from exceptions.models import ExceptionCase
from exceptions.rules.exposure import NOTHING
from exceptions.rules.plays import Loser, Play
from finance import permissions as finance_permissions
from orders import permissions as orders_permissions

BORNE_DAYS = 90
SHIPMENTS_AT_ONCE = 500

ROLE = """
    SELECT r.id, r.user_id, r.entity_id, r.role, u.username, e.code AS entity, e.currency
    FROM accounts_roleassignment r
    JOIN accounts_user u ON u.id = r.user_id
    JOIN accounts_entity e ON e.id = r.entity_id
    WHERE r.id = %(id)s
"""
DRAFTS = """
    SELECT pe.starts, e.currency, array_agg(i.shipment_id ORDER BY i.id) AS shipments,
           sum(i.net) AS net
    FROM finance_period pe
    JOIN accounts_entity e ON e.id = pe.entity_id
    JOIN finance_invoice i ON i.entity_id = pe.entity_id AND i.state = 'draft'
        AND i.invoice_date >= pe.starts AND i.invoice_date < pe.ends
    WHERE pe.id = %(id)s
    GROUP BY pe.id, e.id
"""
LINE = """
    SELECT o.id, o.number, o.currency, c.name, l.unit_price, p.code AS product
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN inventory_product p ON p.id = l.product_id
    WHERE l.id = %(id)s AND o.state IN ('released', 'partly_allocated', 'allocated', 'backordered')
"""

Row = Mapping[str, Any]


def conflict_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about a person with conflicting duties. A handful of queries."""
    plays: list[Play] = []
    for row in records(ROLE, {"id": case.subject_id}):
        named = str(Role(row["role"]).label) if row["role"] in Role.values else row["role"]
        held = [
            one
            for one in duty_conflicts(entity_ids=[row["entity_id"]], now=now)
            if one.counts and row["user_id"] in one.account_ids
        ]
        common: dict[str, Any] = {
            "cost": NOTHING, "currency": row["currency"],
            "permission": governance_permissions.MITIGATE_DUTIES,
            "gate": "Controller or executive, and not the person",
        }  # fmt: skip
        plays.append(
            Play(
                key="end_role",
                title=f"Take the role {named} from {row['username']}",
                detail=f"In {row['entity']} alone. What else they may do stays.",
                losers=(Loser(name=row["username"], what=f"the role {named}", amount=NOTHING),),
                facts={
                    "user_id": row["user_id"],
                    "entity_id": row["entity_id"],
                    "role": row["role"],
                },
                **common,
            )
        )
        if held:
            until = (now + timedelta(days=BORNE_DAYS)).date()
            said = "; ".join(f"{one.pair.one_said} with {one.pair.other_said}" for one in held)
            plays.append(
                Play(
                    key="bear",
                    title=f"Bear it until {until:%-d %b %Y}",
                    detail=f"{said}. It is asked again then.",
                    facts={
                        "user_id": row["user_id"],
                        "entity_id": row["entity_id"],
                        "days": BORNE_DAYS,
                        "pairs": ",".join(f"{one.pair.one}+{one.pair.other}" for one in held),
                    },
                    **common,
                )
            )
    return plays


def period_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what lets a month be closed. One query."""
    return [
        Play(
            key="invoice_month",
            title=f"Invoice what left in {row['starts']:%B}",
            detail=f"{len(row['shipments'])} shipments worth {row['net']:,.2f} {row['currency']}"
            " are numbered, posted and sent, as they would have been.",
            cost=NOTHING,
            currency=row["currency"],
            permission=finance_permissions.POST_INVOICE,
            gate="Accounts receivable or controller",
            is_complete=len(row["shipments"]) <= SHIPMENTS_AT_ONCE,
            facts={"shipments": ",".join(str(one) for one in row["shipments"][:SHIPMENTS_AT_ONCE])},
        )
        for row in records(DRAFTS, {"id": case.subject_id})
    ]


def price_plays(case: ExceptionCase, now: datetime) -> list[Play]:
    """Return what can be done about an odd price before the goods leave. One query."""
    return [
        Play(
            key="stop_order",
            title=f"Stop {row['number']} until the price is looked at",
            detail=f"{row['product']} at {row['unit_price']:,.2f} {row['currency']}. What is"
            " reserved is given back; pricing lifts the hold, or prices it anew.",
            cost=NOTHING,
            currency=row["currency"],
            permission=orders_permissions.RELEASE,
            gate="Who may release orders",
            losers=(Loser(name=row["name"], what="a wait until it is looked at", amount=NOTHING),),
            facts={"order_id": row["id"]},
        )
        for row in records(LINE, {"id": case.subject_id})
    ]
