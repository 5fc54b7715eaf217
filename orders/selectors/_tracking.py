"""What a customer may see of an order by a signed link, and what is written to them about it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import F, QuerySet
from django.urls import reverse

from erp.kernel.sql import records, rows
from orders.models import MilestoneSubscription

LINK_DAYS = 120  # so long a link opens after it was made
SALT = "orders.tracking"

KEY = """
    SELECT o.id, coalesce(k.serial, 0) FROM orders_order o
    LEFT JOIN orders_trackingkey k ON k.order_id = o.id WHERE o.id = %(id)s
"""

HEAD = """
    SELECT o.id, o.number, e.name AS seller, c.name AS customer, o.customer_po, o.state,
           o.requested_date, o.promised_date, o.ship_to ->> 'city' AS city,
           o.ship_to ->> 'country' AS country, o.created_at, o.submitted_at, o.released_at,
           o.shipped_at, o.invoiced_at, o.cancelled_at, e.time_zone
    FROM orders_order o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_customer c ON c.id = o.customer_id
    WHERE o.id = %(id)s
"""

# A kit is one line to whoever ordered it.
LINES = """
    SELECT min(l.position) AS position, coalesce(kp.code, min(p.code)) AS product,
           coalesce(kp.name, min(p.name)) AS name, coalesce(kp.base_uom, min(p.base_uom)) AS uom,
           CASE WHEN k.id IS NULL THEN sum(l.quantity - l.cancelled)
                ELSE k.quantity - k.cancelled END AS ordered,
           CASE WHEN k.id IS NULL THEN sum(l.shipped)
                ELSE floor(min(l.shipped / l.per_kit)) END AS shipped,
           max(l.first_promised_date) AS first_promised_date, max(l.promised_date) AS promised_date
    FROM orders_orderline l
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN orders_kitline k ON k.id = l.kit_id
    LEFT JOIN inventory_product kp ON kp.id = k.product_id
    WHERE l.order_id = %(id)s
    GROUP BY k.id, kp.id, CASE WHEN k.id IS NULL THEN l.id END
    ORDER BY 1 LIMIT 500
"""

SHIPMENTS = """
    SELECT s.number, s.state, coalesce(k.name, '') AS carrier, s.tracking_number, s.planned_date,
           s.picked_at, s.packed_at, s.shipped_at, s.delivered_at
    FROM inventory_shipment s LEFT JOIN inventory_carrier k ON k.id = s.carrier_id
    WHERE s.source_kind = 'orders.order' AND s.source_id = %(id)s AND s.state <> 'void'
    ORDER BY s.id LIMIT 200
"""

LETTER = """
    SELECT o.id, o.number, o.customer_po, e.name AS seller, n.kind, n.subject, n.reason, n.state,
           s.address
    FROM orders_milestonenotice n
    JOIN orders_order o ON o.id = n.order_id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_milestonesubscription s ON s.id = n.subscription_id
    WHERE n.id = %(id)s
"""

SAID = {
    "received": "We have received it.",
    "released": "It is confirmed.",
    "allocated": "The goods are set aside for it.",
    "picked": "The goods are picked.",
    "packed": "The goods are packed.",
    "shipped": "The goods have left.",
    "delivered": "The goods have arrived.",
    "invoiced": "The invoice is written.",
    "delayed": "It is delayed.",
}


@dataclass(frozen=True, slots=True)
class TrackedOrder:
    """One order as its customer may see it: no prices, no reasons of ours.

    Quantities are in the unit beside them; dates are business dates of the seller.
    """

    id: int
    number: str
    seller: str
    customer: str
    customer_po: str
    state: str
    requested_date: date
    promised_date: date | None
    city: str | None
    country: str | None
    created_at: datetime
    submitted_at: datetime | None
    released_at: datetime | None
    shipped_at: datetime | None
    invoiced_at: datetime | None
    cancelled_at: datetime | None
    time_zone: str
    lines: list[dict[str, Any]]
    shipments: list[dict[str, Any]]

    @property
    def is_delivered(self) -> bool:
        """Test if all of it has left and arrived."""
        all_left = self.state in {"shipped", "invoiced", "closed"}
        return all_left and all(each["state"] == "delivered" for each in self.shipments)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The lines that are promised for another day than at first."""
        return [
            line
            for line in self.lines
            if line["first_promised_date"] and line["first_promised_date"] != line["promised_date"]
        ]


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice as it is mailed, in plain text."""

    address: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Follower:
    """One party that is told of an order's milestones, and how often it was."""

    id: int
    channel: str
    address: str
    kinds: list[str]
    is_of_order: bool
    told: int
    due: int


def tracking_token(*, order_id: int) -> str:
    """Return the text that opens one order's tracking page for so many days, until revoked."""
    ((order, serial),) = rows(KEY, {"id": order_id})
    return signing.dumps([order, serial], salt=SALT)


def tracked_order(*, token: str) -> TrackedOrder | None:
    """Return the order that a token opens; none if it is forged, too old or revoked."""
    try:
        order_id, serial = signing.loads(token, salt=SALT, max_age=timedelta(days=LINK_DAYS))
    except (signing.BadSignature, ValueError):
        return None
    if rows(KEY, {"id": order_id}) != [(order_id, serial)]:
        return None
    asked = {"id": order_id}
    head = records(HEAD, asked)[0]
    return TrackedOrder(**head, lines=records(LINES, asked), shipments=records(SHIPMENTS, asked))


def letter_of(*, notice_id: int) -> Letter | None:
    """Return a notice as a letter; none if it went out already or is gone."""
    found = records(LETTER, {"id": notice_id})
    if not found or found[0]["state"] != "due":
        return None
    row = found[0]
    name = f"{row['number']} ({row['customer_po']})" if row["customer_po"] else row["number"]
    subject = f" {row['subject']}." if row["subject"] and row["kind"] != "delayed" else ""
    said = f"{SAID[row['kind']]}{subject} {row['reason']}".strip()
    lines = [f"Your order {name}:", said]
    if settings.PUBLIC_URL:
        path = reverse("orders:track", args=[tracking_token(order_id=row["id"])])
        lines.append(f"Follow it here: {settings.PUBLIC_URL}{path}")
    lines.append(row["seller"])
    title = f"Order {row['number']}: {row['kind']}"
    return Letter(row["address"], title, "\n\n".join(lines) + "\n")


def followers_of(*, order_id: int) -> list[Follower]:
    """Return who is told of an order's milestones, with what went out to them about it."""
    statement = """
        SELECT s.id, s.channel, s.address, s.kinds, s.order_id IS NOT NULL AS is_of_order,
               count(n.id) FILTER (WHERE n.state = 'told') AS told,
               count(n.id) FILTER (WHERE n.state = 'due') AS due
        FROM orders_order o
        JOIN orders_milestonesubscription s
          ON s.customer_id = o.customer_id AND s.entity_id = o.entity_id AND s.is_active
         AND (s.order_id IS NULL OR s.order_id = o.id)
        LEFT JOIN orders_milestonenotice n ON n.subscription_id = s.id AND n.order_id = o.id
        WHERE o.id = %(order)s GROUP BY s.id ORDER BY s.id
    """
    return [Follower(**row) for row in records(statement, {"order": order_id})]


def subscription_list(*, entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the subscriptions of these entities as plain rows, for the API to narrow and page."""
    return (
        MilestoneSubscription.objects.filter(entity_id__in=entity_ids)
        .values(
            "id", "channel", "address", "kinds", "is_active", "created_at",
            entity_code=F("entity__code"), customer_code=F("customer__code"),
            order_number=F("order__number"),
        )
        .order_by("-id")
    )  # fmt: skip
