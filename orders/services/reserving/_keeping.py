"""Keeps stock for customers, lets it go, and gives it to their orders."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, Question, decide, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from inventory.rules import policy_of
from inventory.services import Demand, release_reservations
from inventory.services.keeping import extend, hold_balances, keep_until
from orders.models import CreditAccount, Order, Quote, SetAside
from orders.services._allocating import allocate_orders
from orders.services._locking import lock

KIND = "orders.setaside"
DAYS_MAX = 60
WAITS_FOR = """
    SELECT DISTINCT product_id FROM orders_orderline WHERE order_id = %(order)s AND waiting > 0
"""
OPEN_QUOTE = frozenset({Quote.State.DRAFT, Quote.State.SENT, Quote.State.ACCEPTED})


class NotEnoughFree(DomainError):
    """So much is not free where it was asked for: nothing is kept."""

    code: ClassVar[str] = "not_enough_free"


class NotKeptAnyMore(DomainError):
    """It was given back, used, or its time is over."""

    code: ClassVar[str] = "not_kept_any_more"


class NotTheirOrder(DomainError):
    """It goes to an order, or belongs to a quote, of the same customer and company only."""

    code: ClassVar[str] = "not_their_order"


class TooLong(DomainError):
    """Stock is kept without an order for at most sixty days, and until a moment to come."""

    code: ClassVar[str] = "too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAsideDraft:
    """What is to be kept: base units of a product, at a node or any, for a customer, until when."""

    entity_id: int
    customer_id: int
    product_id: int
    quantity: Decimal
    until: datetime
    node_id: int | None = None
    quote_id: int | None = None
    note: str = ""


@transaction.atomic
def set_aside(*, draft: SetAsideDraft, actor: User | None, now: datetime) -> SetAside:
    """Keep all of it or nothing, as the policy of allocation gives; it lapses by itself.

    Locks the stock rows of the product in id order.

    Raises:
        NotTheirOrder: the customer buys nothing here, or the quote is not theirs or over.
        TooLong: the moment is over, or more than sixty days away.
        NotEnoughFree: so much is not free.

    Publishes:
        StockFell
    """
    _refuse_time(draft.until, now)
    _refuse_stranger(draft)
    kept = SetAside.objects.create(
        entity_id=draft.entity_id, customer_id=draft.customer_id, product_id=draft.product_id,
        node_id=draft.node_id, quote_id=draft.quote_id, quantity=draft.quantity,
        kept_until=draft.until, note=draft.note[:300], created_at=now, created_by=actor,
    )  # fmt: skip
    kept = SetAside.objects.get(pk=kept.pk)  # the database draws the number
    question = Question(draft.entity_id, "inventory.run", 0, {"cause": "Set aside", "demands": 1})
    (said,) = decide(policy="inventory.allocation", questions=[question], now=now, keep=False)
    demand = Demand(
        kind=KIND, id=kept.pk, entity_id=draft.entity_id, product_id=draft.product_id,
        quantity=draft.quantity, node_id=draft.node_id, priority=50, due=draft.until.date(),
        group_id=kept.pk, ship_complete=True, label=kept.number,
    )  # fmt: skip
    given = keep_until(
        demands=[demand],
        until=draft.until,
        cause="Set aside",
        now=now,
        policy_version=said.policy_version,
        policy=policy_of(said.outcome, today=now.date().toordinal()),
        only_nodes={kept.pk: [draft.node_id]} if draft.node_id else None,
    ).given
    if given.get(kept.pk, Decimal(0)) < draft.quantity:
        raise NotEnoughFree("So much is not free there: nothing is kept.")
    _note(kept, "set_aside", actor, now, quantity=draft.quantity, until=draft.until)
    return kept


@transaction.atomic
def give_back_set_aside(*, set_aside_id: int, actor: User | None, now: datetime) -> None:
    """Give back what is kept. Given back before, it changes nothing. Locks it, then its stock.

    Raises:
        SetAside.DoesNotExist: there is none such.
        NotKeptAnyMore: it was used, or its time is over.
    """
    kept = SetAside.objects.lock(set_aside_id)
    if kept.state == SetAside.State.RELEASED:
        return
    _refuse_over(kept)
    release_reservations(demand_kind=KIND, demand_ids=[kept.pk], now=now)
    kept.release(at=now)
    kept.save(update_fields=["state", "ended_at"])
    _note(kept, "give_back", actor, now)


@transaction.atomic
def extend_set_aside(
    *, set_aside_id: int, until: datetime, actor: User | None, now: datetime
) -> None:
    """Keep it until a later moment. Locks it, then its stock.

    Raises:
        SetAside.DoesNotExist: there is none such.
        NotKeptAnyMore: it was given back, used, or its time is over.
        TooLong: that is no later moment, or more than sixty days away.
        NotKept: it has just lapsed.
    """
    kept = SetAside.objects.lock(set_aside_id)
    _refuse_over(kept)
    _refuse_time(until, now)
    if until < kept.kept_until:
        raise TooLong("It is kept longer already: give it back instead.")
    extend(demand_kind=KIND, demand_ids=[kept.pk], until=until, now=now)
    kept.kept_until = until
    kept.save(update_fields=["kept_until"])
    _note(kept, "extend", actor, now, until=until)


@transaction.atomic
def use_set_aside(*, set_aside_id: int, order_id: int, actor: User | None, now: datetime) -> None:
    """Give what is kept to a released order of the same customer, and allocate that order.

    No moment passes in which somebody else could take it: the stock rows of all that the order
    waits for are locked first, in id order, after its account and the order.

    Raises:
        Order.DoesNotExist: there is no such order.
        SetAside.DoesNotExist: there is none such.
        NotKeptAnyMore: it was given back, used, or its time is over.
        NotTheirOrder: the order is of another customer or company, or does not wait for it now.
    """
    lock([order_id])
    kept = SetAside.objects.lock(set_aside_id)
    order = Order.objects.get(pk=order_id)
    if kept.state == SetAside.State.USED and kept.order_id == order.pk:
        return
    _refuse_over(kept)
    theirs = (order.entity_id, order.customer_id) == (kept.entity_id, kept.customer_id)
    products = [row[0] for row in rows(WAITS_FOR, {"order": order.pk})]
    if not theirs or order.state not in Order.WAITING or kept.product_id not in products:
        raise NotTheirOrder("It goes to a released order of theirs that waits for the product.")
    hold_balances(entity_id=order.entity_id, product_ids=products)
    release_reservations(demand_kind=KIND, demand_ids=[kept.pk], now=now)
    allocate_orders(order_ids=[order.pk], cause=f"{kept.number} was kept for it", now=now)
    kept.use(at=now, order=order)
    kept.save(update_fields=["state", "ended_at", "order"])
    _note(kept, "use", actor, now, order=order.number)


@transaction.atomic
def note_lapsed(*, set_aside_ids: Collection[int], now: datetime) -> int:
    """Note that the stock of these was given back by the clock; return how many. Repeatable."""
    found = SetAside.objects.filter(pk__in=set_aside_ids, state=SetAside.State.KEPT)
    lapsed = list(found.order_by("pk").select_for_update(of=["self"], no_key=True))
    for kept in lapsed:
        kept.lapse(at=now)
        kept.save(update_fields=["state", "ended_at"])
        _note(kept, "lapse", None, now)
    return len(lapsed)


def _refuse_time(until: datetime, now: datetime) -> None:
    if not now < until <= now + timedelta(days=DAYS_MAX):
        raise TooLong(f"Keep it until a moment to come, at most {DAYS_MAX} days away.")


def _refuse_over(kept: SetAside) -> None:
    if kept.state != SetAside.State.KEPT:
        raise NotKeptAnyMore(f"{kept.number}: {kept.get_state_display().lower()}.")


def _refuse_stranger(draft: SetAsideDraft) -> None:
    theirs = {"entity_id": draft.entity_id, "customer_id": draft.customer_id}
    if not CreditAccount.objects.filter(**theirs).exists():
        raise NotTheirOrder("The customer buys nothing of this company.")
    if draft.quote_id is None:
        return
    quotes = Quote.objects.filter(pk=draft.quote_id, state__in=OPEN_QUOTE, **theirs)
    if not quotes.exists():
        raise NotTheirOrder("There is no such quote of theirs that still stands.")


def _note(kept: SetAside, verb: str, actor: User | None, now: datetime, **values: Any) -> None:
    after = {name: f"{value}" for name, value in values.items()}
    change = Change(
        entity_id=kept.entity_id,
        action=f"orders.{verb}",
        subject_kind=KIND,
        subject_id=kept.pk,
        thread=f"{KIND}:{kept.pk}",
        after={"number": kept.number, "state": kept.state, **after},
    )
    record(changes=[change], actor=actor, now=now)
