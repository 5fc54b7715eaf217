"""Runs the ways out of a shortage."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from erp.accounts.models import User
from exceptions.rules.plays import Done, Play
from inventory.services.sourcing import ByHand, Document, note_asked_by_hand
from inventory.services.transferring import TransferDraft, request_transfers
from orders.services import (
    Amendment,
    LineCancel,
    amend_order,
    cancel_lines,
    keep_backorder,
    serve_from_node,
)
from orders.services.promising import promise_orders
from orders.services.substituting import send_instead
from procurement.services import PurchaseLine, submit_order, write_order
from procurement.services.dropping import drop_ship


def keep(play: Play, actor: User | None, now: datetime) -> Done:
    promised = _promise(play, actor, now)
    return Done(f"Backordered: promised for {promised:%-d %b %Y}.", _former(play))


def send_from_node(play: Play, actor: User | None, now: datetime) -> Done:
    serve_from_node(
        line_id=int(play.facts["line_id"]),
        node_id=int(play.facts["node_id"]),
        actor=actor,
        now=now,
    )
    return Done(f"{play.title}.")


def send_from_several(play: Play, actor: User | None, now: datetime) -> Done:
    for node_id in str(play.facts["node_ids"]).split(","):
        serve_from_node(
            line_id=int(play.facts["line_id"]), node_id=int(node_id), actor=actor, now=now
        )
    return Done(f"{play.title}.")


def send_part(play: Play, actor: User | None, now: datetime) -> Done:
    send_from_several(play, actor, now)
    promised = _promise(play, actor, now)
    return Done(f"{play.title}: promised for {promised:%-d %b %Y}.")


def hold_to_inbound(play: Play, actor: User | None, now: datetime) -> Done:
    _promise(play, actor, now)
    promise_orders(order_ids=[int(play.facts["order_id"])], cause=play.title, now=now)
    return Done(f"{play.title}.", _former(play))


def redate(play: Play, actor: User | None, now: datetime) -> Done:
    promised = _day(play)
    amend_order(
        order_id=int(play.facts["order_id"]),
        amendment=Amendment(requested_date=promised, reason=play.title),
        actor=actor,
        now=now,
    )
    _promise(play, actor, now)
    return Done(f"{play.title}: done.", {**_former(play), "requested": play.facts["requested"]})


def transfer(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    seller, buyer = int(facts["seller_id"]), int(facts["entity_id"])
    promised = _promise(play, actor, now)  # first: an order is locked before stock
    (made,) = request_transfers(
        drafts=[
            TransferDraft(
                entity_id=seller,
                origin_id=int(facts["origin_id"]),
                destination_id=int(facts["destination_id"]),
                lines=[(int(facts["product_id"]), Decimal(facts["quantity"]))],
                reason=f"For {facts['order']}, which is short.",
                to_entity_id=buyer if seller != buyer else None,
            )
        ],
        actor=actor,
        now=now,
    )
    mode = "transfer" if seller == buyer else "affiliate"
    _note(play, mode, Document(kind="inventory.transfer", id=made.pk, label=made.number), now)
    return Done(
        f"{made.number} asked for: promised for {promised:%-d %b %Y}.",
        {**_former(play), "transfer_id": made.pk},
    )


def buy(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    order = write_order(
        entity_id=int(facts["entity_id"]),
        supplier_id=int(facts["supplier_id"]),
        node_id=int(facts["node_id"]),
        lines=[PurchaseLine(int(facts["product_id"]), Decimal(facts["quantity"]))],
        actor=actor,
        now=now,
    )
    order = submit_order(order_id=order.pk, actor=actor, now=now)
    promised = _promise(play, actor, now)
    _note(play, "buy", Document(kind="procurement.order", id=order.pk, label=order.number), now)
    waits = " It waits for approval." if order.state == "pending" else ""
    return Done(
        f"Ordered as {order.number}: promised for {promised:%-d %b %Y}.{waits}",
        {**_former(play), "purchase_id": order.pk},
    )


def have_sent(play: Play, actor: User | None, now: datetime) -> Done:
    order = drop_ship(sourcing_id=int(play.facts["sourcing_id"]), actor=actor, now=now)
    waits = " It waits for approval." if order.state == "pending" else ""
    return Done(
        f"Ordered as {order.number}, straight to the customer.{waits}",
        {**_former(play), "purchase_id": order.pk},
    )


def substitute(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    send_instead(
        line_id=int(facts["line_id"]),
        other_id=int(facts["product_id"]),
        quantity=Decimal(facts["missing"]),
        other_quantity=Decimal(facts["other_quantity"]),
        pair_id=int(facts["pair_id"]) or None,
        answer=play.title,
        actor=actor,
        now=now,
    )
    return Done(f"{play.title}: done.")


def cancel_short(play: Play, actor: User | None, now: datetime) -> Done:
    _cancel_short(play, int(play.facts["order_id"]), actor, now)
    return Done(f"{play.title}: done.")


def _cancel_short(play: Play, order_id: int, actor: User | None, now: datetime) -> None:
    short = LineCancel(int(play.facts["line_id"]), Decimal(play.facts["missing"]))
    cancel_lines(order_id=order_id, lines=[short], actor=actor, reason=play.title, now=now)


def _promise(play: Play, actor: User | None, now: datetime) -> date:
    promised = _day(play)
    keep_backorder(
        line_id=int(play.facts["line_id"]),
        promised_date=promised,
        p90_date=play.p90_date,
        actor=actor,
        now=now,
    )
    return promised


def _note(play: Play, mode: str, document: Document, now: datetime) -> None:
    """Tell the decision layer what was asked for, so that it does not ask as well."""
    asked = ByHand(
        demand_kind="orders.line",
        demand_id=int(play.facts["line_id"]),
        mode=mode,
        source=str(play.facts["source"]),
        quantity=Decimal(play.facts["missing"]),
        value=Decimal(play.facts["value"]),
        currency=play.currency,
        arrives_on=_day(play),
    )
    note_asked_by_hand(asked=asked, document=document, now=now)


def _day(play: Play) -> date:
    if play.new_date is None:
        raise LookupError(f"{play.key} without a date was offered")
    return play.new_date


def _former(play: Play) -> Mapping[str, str | int]:
    return {name: play.facts[name] for name in ("line_id", "promised")}
