"""Runs the ways out of what is to come: shelves that run empty, supply that moved."""

from datetime import datetime
from decimal import Decimal

from erp.accounts.models import User
from exceptions.rules.plays import Done, Play
from inventory.services.tracking import block_lot
from inventory.services.transferring import TransferDraft, request_transfers
from orders.services.promising import promise_orders
from procurement.services import PurchaseLine, submit_order, write_order


def accept_change(play: Play, actor: User | None, now: datetime) -> Done:
    orders = [int(one) for one in str(play.facts["orders"]).split(",") if one]
    changed = promise_orders(order_ids=orders, cause=play.title, now=now)
    return Done(f"{play.title}: {changed} lines were promised anew.")


def stock_up(play: Play, actor: User | None, now: datetime) -> Done:
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
    waits = " It waits for approval." if order.state == "pending" else ""
    return Done(f"Ordered as {order.number}.{waits}", {"purchase_id": order.pk})


def move(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    (made,) = request_transfers(
        drafts=[
            TransferDraft(
                entity_id=int(facts["entity_id"]),
                origin_id=int(facts["origin_id"]),
                destination_id=int(facts["destination_id"]),
                lines=[(int(facts["product_id"]), Decimal(facts["quantity"]))],
                reason=play.title,
            )
        ],
        actor=actor,
        now=now,
    )
    return Done(f"{made.number} asked for.", {"transfer_id": made.pk})


def block(play: Play, actor: User | None, now: datetime) -> Done:
    block_lot(lot_id=int(play.facts["lot_id"]), reason=play.title, actor=actor, now=now)
    return Done(f"{play.title}: done.", {"lot_id": play.facts["lot_id"]})
