"""Runs the ways out of supply that is late, or that waits for approval."""

from datetime import date, datetime
from decimal import Decimal

from erp.accounts.models import User
from exceptions.rules.plays import Done, Play
from exceptions.services._freeing import person
from procurement.services import (
    PurchaseLine,
    approve_order,
    cancel_order,
    close_order,
    reduce_order,
    reject_order,
    reschedule_order,
    submit_order,
    write_order,
)


def accept_late(play: Play, actor: User | None, now: datetime) -> Done:
    _reschedule(play, actor, now)
    made = {name: play.facts[name] for name in ("purchase_id", "former")}
    return Done(f"{play.title}: done.", made)


def resource(play: Play, actor: User | None, now: datetime) -> Done:
    _call_off(play, actor, now)
    return Done(_order_elsewhere(play, actor, now))


def split_purchase(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    reduce_order(
        order_id=int(facts["purchase_id"]),
        quantities={int(line): Decimal(cut) for line, cut in _pairs(str(facts["cuts"]))},
        reason=play.title,
        actor=actor,
        now=now,
    )
    _reschedule(play, actor, now)
    return Done(_order_elsewhere(play, actor, now))


def close_rest(play: Play, actor: User | None, now: datetime) -> Done:
    _call_off(play, actor, now)
    return Done(f"{play.title}: done.")


def approve(play: Play, actor: User | None, now: datetime) -> Done:
    order = approve_order(order_id=int(play.facts["order_id"]), actor=person(actor), now=now)
    if order.state == "pending":
        return Done(f"You agreed to {order.number}; others must agree as well.")
    return Done(f"{order.number} was approved.")


def send_back(play: Play, actor: User | None, now: datetime) -> Done:
    reject_order(
        order_id=int(play.facts["order_id"]),
        actor=person(actor),
        reason="Sent back out of its exception case.",
        now=now,
    )
    return Done(f"{play.title}: done.")


def set_days(purchase_id: int, days: str, why: str, actor: User | None, now: datetime) -> None:
    """Expect lines of a purchase on the days that `days` says, as "line=day,"."""
    dates = {int(line): date.fromisoformat(day) for line, day in _pairs(days)}
    reschedule_order(order_id=purchase_id, dates=dates, actor=actor, now=now, reason=why)


def _reschedule(play: Play, actor: User | None, now: datetime) -> None:
    facts = play.facts
    set_days(int(facts["purchase_id"]), str(facts["days"]), play.title, actor, now)


def _call_off(play: Play, actor: User | None, now: datetime) -> None:
    order_id = int(play.facts["purchase_id"])
    if play.facts["has_come"]:
        close_order(order_id=order_id, actor=actor, now=now, reason=play.title)
    else:
        cancel_order(order_id=order_id, actor=actor, reason=play.title, now=now)


def _order_elsewhere(play: Play, actor: User | None, now: datetime) -> str:
    facts = play.facts
    order = write_order(
        entity_id=int(facts["entity_id"]),
        supplier_id=int(facts["supplier_id"]),
        node_id=int(facts["node_id"]),
        lines=[
            PurchaseLine(int(product), Decimal(quantity))
            for product, quantity in _pairs(str(facts["products"]))
        ],
        actor=actor,
        now=now,
    )
    order = submit_order(order_id=order.pk, actor=actor, now=now)
    waits = " It waits for approval." if order.state == "pending" else ""
    return f"{play.title}: ordered as {order.number}.{waits}"


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(one.partition("=")[0], one.partition("=")[2]) for one in filter(None, text.split(","))]
