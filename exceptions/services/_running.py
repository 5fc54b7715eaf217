"""What each play does: calls of the domains' own services, in one transaction."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from erp.accounts.models import User
from erp.outbox.services import replay_deliveries
from exceptions.rules.plays import Play
from finance.services import adjust_stock, invoice_shipments
from inventory.services import StockAdjustment
from orders.services import cancel_order, keep_backorder, lift_hold, serve_from_node
from procurement.services import approve_order

Runner = Callable[[Play, User, datetime], str]


def keep(play: Play, actor: User, now: datetime) -> str:
    promised: date | None = play.new_date
    if promised is None:
        raise LookupError("a backorder without a date was offered")
    keep_backorder(line_id=int(play.facts["line_id"]), promised_date=promised, actor=actor, now=now)
    return f"Backordered: promised for {promised:%-d %b %Y}."


def send_from_node(play: Play, actor: User, now: datetime) -> str:
    serve_from_node(
        line_id=int(play.facts["line_id"]),
        node_id=int(play.facts["node_id"]),
        actor=actor,
        now=now,
    )
    return f"{play.title}."


def release(play: Play, actor: User, now: datetime) -> str:
    lift_hold(hold_id=int(play.facts["hold_id"]), actor=actor, reason="Released once.", now=now)
    return f"{play.title}: done."


def cancel(play: Play, actor: User, now: datetime) -> str:
    cancel_order(
        order_id=int(play.facts["order_id"]),
        actor=actor,
        reason="Cancelled out of its exception case.",
        now=now,
    )
    return "The order was cancelled."


def put_back(play: Play, actor: User, now: datetime) -> str:
    _adjust(play, "available", "Found again", actor, now)
    return f"{play.title}: done."


def write_off(play: Play, actor: User, now: datetime) -> str:
    _adjust(play, None, "Not found", actor, now)
    return f"{play.title}: done."


def _adjust(play: Play, into: str | None, reason: str, actor: User, now: datetime) -> None:
    facts = play.facts
    quantity = Decimal(facts["quantity"])
    signed = [(-quantity, str(facts["status"]))] + ([(quantity, into)] if into else [])
    adjustments = [
        StockAdjustment(
            entity_id=int(facts["entity_id"]),
            node_id=int(facts["node_id"]),
            product_id=int(facts["product_id"]),
            quantity=change,
            reason=f"{reason} (short pick)",
            status=status,
            lot_id=int(facts["lot_id"]) if facts.get("lot_id") else None,
        )
        for change, status in signed
    ]
    adjust_stock(adjustments=adjustments, kind="adjustment", actor=actor, now=now)


def invoice(play: Play, actor: User, now: datetime) -> str:
    done = invoice_shipments(shipment_ids=[int(play.facts["shipment_id"])], now=now)
    return f"Invoiced as {', '.join(one.number for one in done)}." if done else "Invoiced before."


def replay(play: Play, actor: User, now: datetime) -> str:
    replay_deliveries(delivery_ids=[int(play.facts["delivery_id"])])
    return "Given to its handler again."


def approve(play: Play, actor: User, now: datetime) -> str:
    order = approve_order(order_id=int(play.facts["order_id"]), actor=actor, now=now)
    if order.state == "pending":
        return f"You agreed to {order.number}; others must agree as well."
    return f"{order.number} was approved."


RUNNERS: Mapping[str, Runner] = {
    "backorder": keep,
    "other_node": send_from_node,
    "release": release,
    "cancel": cancel,
    "put_back": put_back,
    "write_off": write_off,
    "invoice": invoice,
    "replay": replay,
    "approve": approve,
}
