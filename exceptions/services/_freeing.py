"""Runs the ways out of an order that is held."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from exceptions.rules.plays import Done, Play
from exceptions.services._waiting import wait
from finance.services import post_payment
from orders.models import CreditAccount, Hold
from orders.services import (
    Amendment,
    CreditTerms,
    LineChange,
    amend_order,
    cancel_order,
    lift_hold,
    reevaluate_holds,
)
from orders.services.crediting import request_credit_terms

HELD_HOURS = 4


class NeedsPerson(DomainError):
    """The house itself may not do this: somebody has to answer for it."""

    code: ClassVar[str] = "needs_person"


def person(actor: User | None) -> User:
    """Return who runs a play.

    Raises:
        NeedsPerson: it is the house itself.
    """
    if actor is None:
        raise NeedsPerson("Somebody has to answer for this: run it yourself.")
    return actor


def release(play: Play, actor: User | None, now: datetime) -> Done:
    who = person(actor)
    lift_hold(hold_id=int(play.facts["hold_id"]), actor=who, reason="Released once.", now=now)
    return Done(f"{play.title}: done.", {"order_id": play.facts["order_id"]})


def cancel(play: Play, actor: User | None, now: datetime) -> Done:
    cancel_order(
        order_id=int(play.facts["order_id"]),
        actor=actor,
        reason="Cancelled out of its exception case.",
        now=now,
    )
    return Done("The order was cancelled.")


def raise_limit(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    account = CreditAccount.objects.get(pk=int(facts["account_id"]))
    terms = replace(
        CreditTerms.of(account),
        temporary_limit=Decimal(facts["limit"]),
        temporary_from=date.fromisoformat(str(facts["from"])),
        temporary_until=date.fromisoformat(str(facts["until"])),
    )
    waits = request_credit_terms(
        account_id=account.pk, terms=terms, reason=play.title, actor=actor, now=now
    )
    said = "asked for; the order goes on once it is agreed" if waits else "done"
    return Done(f"{play.title}: {said}.")


def take_prepayment(play: Play, actor: User | None, now: datetime) -> Done:
    facts = play.facts
    paid = post_payment(
        entity_id=int(facts["entity_id"]),
        customer_id=int(facts["customer_id"]),
        amount=Decimal(facts["amount"]),
        reference=str(facts["reference"]),
        received_date=date.fromisoformat(str(facts["received"])),
        actor=actor,
        now=now,
    )
    return Done(f"{paid.number} posted: {paid.amount:,.2f} {paid.currency}.")


def keep_held(play: Play, actor: User | None, now: datetime) -> Done:
    wait(
        case_id=int(play.facts["case_id"]),
        on="customer",
        until=now + timedelta(hours=HELD_HOURS),
        reason=play.title,
        actor=person(actor),
        now=now,
    )
    return Done(f"{play.title}: asked again in {HELD_HOURS} hours.", play.facts)


def honour_quote(play: Play, actor: User | None, now: datetime) -> Done:
    _price(play, str(play.facts["prices"]), actor, now)
    hold = Hold.objects.filter(pk=int(play.facts["hold_id"]), state="active").first()
    if hold is not None:
        lift_hold(hold_id=hold.pk, actor=person(actor), reason=f"{play.title}.", now=now)
    return Done(f"{play.title}: done.")


def price_anew(play: Play, actor: User | None, now: datetime) -> Done:
    _price(play, str(play.facts["prices"]), actor, now)
    reevaluate_holds(
        order_ids=[int(play.facts["order_id"])],
        cause=play.title,
        actor=actor,
        now=now,
        kinds=["price", "margin"],
    )
    return Done(
        f"{play.title}: done.",
        {"order_id": play.facts["order_id"], "prices": play.facts["former"]},
    )


def _price(play: Play, prices: str, actor: User | None, now: datetime) -> None:
    set_prices(int(play.facts["order_id"]), prices, play.title, actor, now)


def set_prices(order_id: int, prices: str, why: str, actor: User | None, now: datetime) -> None:
    """Give lines the prices and discounts that `prices` says, as "line=price/discount,"."""
    changes = []
    for one in filter(None, prices.split(",")):
        line, _, said = one.partition("=")
        price, _, discount = said.partition("/")
        changes.append(LineChange(int(line), unit_price=Decimal(price), discount=Decimal(discount)))
    amendment = Amendment(lines=changes, reason=why)
    amend_order(order_id=order_id, amendment=amendment, actor=actor, now=now)
