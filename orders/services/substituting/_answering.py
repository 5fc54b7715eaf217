"""Takes the customer's word on another product: it becomes a line, or is not asked again."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.models import Substitute
from orders.events import LineSubstituted
from orders.models import Order, OrderLine, Substitution
from orders.rules import exchange_price
from orders.services._drafting import LineDraft
from orders.services._exchanging import Buyer, own_prices
from orders.services._locking import lock
from orders.services._revising import Amendment, amend_order
from orders.services._rewriting import LineChange
from orders.services._serving import NothingWaits

State = Substitution.State
ANSWER_MAX = 300
BEFORE_STOCK = {Order.State.DRAFT, Order.State.SUBMITTED, Order.State.HELD}

FREE = """
    SELECT coalesce(sum(s.on_hand - s.reserved), 0)
    FROM inventory_stock s JOIN inventory_node n ON n.id = s.node_id AND n.is_active
    WHERE s.product_id = %(product)s AND s.entity_id = %(entity)s AND s.status = 'available'
        AND NOT s.is_barred AND s.on_hand > s.reserved
        AND (s.expires_on IS NULL OR s.expires_on >= %(today)s)
"""
COVERED = """
    SELECT s.id, s.entity_id, l.order_id FROM orders_substitution s
    JOIN orders_orderline l ON l.id = s.line_id
    WHERE s.line_id = ANY(%(lines)s::bigint[]) AND s.state = 'proposed'
        AND l.waiting - l.direct < s.quantity
    ORDER BY s.id
    FOR NO KEY UPDATE OF s
"""


class AnsweredOtherwise(DomainError):
    """It was answered the other way, or is not asked any more."""

    code: ClassVar[str] = "answered_otherwise"


class NotThereAnyMore(DomainError):
    """The other product is not free any more in that quantity."""

    code: ClassVar[str] = "not_there_any_more"


@transaction.atomic
def accept_substitution(
    *, substitution_id: int, answer: str, actor: User | None, now: datetime
) -> Substitution:
    """Send the other product, as the customer agreed: a line of its own takes the line's place.

    What it replaces is cancelled on the line, whose quantity and price stay. The order is asked
    again about what changed (credit where it costs more, compliance, price, margin) and may be
    held. Accepting again changes nothing. Locks the account, the order, then stock.

    Raises:
        Substitution.DoesNotExist: there is none such.
        AnsweredOtherwise: it was declined or withdrawn.
        NothingWaits: the line waits for less by now.
        NotThereAnyMore: so much of the other product is not free.
        DraftRefused: the other product is not sold; `errors` says why.

    Publishes:
        LineSubstituted
        OrderAmended
    """
    found = _locked(substitution_id)
    if found.state == State.ACCEPTED:
        return found
    _refuse_answered(found)
    line = OrderLine.objects.select_related("product", "order").get(pk=found.line_id)
    waits = line.waiting - line.direct
    if waits < found.quantity:
        raise NothingWaits(f"Line {line.position} waits for {waits.normalize():f} by now.")
    free = rows(FREE, {"product": found.other_id, "entity": found.entity_id, "today": now.date()})[
        0
    ][0]
    if free < found.other_quantity:
        raise NotThereAnyMore(f"Only {free.normalize():f} of it is free by now.")
    made = _exchange(found, line, actor, now)
    found.accept(at=now, by=None if actor is None else actor.pk, answer=answer[:ANSWER_MAX])
    found.new_line = made
    found.save(update_fields=["state", "answered_at", "answered_by", "answer", "new_line"])
    _record(found, line, actor, now)
    told = LineSubstituted(
        line_id=line.pk,
        order_id=line.order_id,
        number=line.order.number,
        entity_id=found.entity_id,
        new_line_id=made.pk,
        quantity=f"{found.quantity:f}",
    )
    publish_all([told])
    return found


@transaction.atomic
def send_instead(
    *,
    line_id: int,
    other_id: int,
    quantity: Decimal,
    other_quantity: Decimal,
    pair_id: int | None,
    answer: str,
    actor: User | None,
    now: datetime,
) -> Substitution:
    """Send another product for so much of a line, on the customer's word that somebody has.

    By a pair at what its rule says, without one at the price of what was ordered. It counts as
    asked and accepted; a question about it that stands is answered with it. See
    `accept_substitution`.

    Raises:
        OrderLine.DoesNotExist: there is no such line.
        NothingWaits: the line waits for less.
        NotThereAnyMore: so much of the other product is not free.
        DraftRefused: the other product is not sold; `errors` says why.

    Publishes:
        LineSubstituted
        OrderAmended
    """
    lock([OrderLine.objects.values_list("order_id", flat=True).get(pk=line_id)])
    line = OrderLine.objects.select_related("order", "product").get(pk=line_id)
    pair = Substitute.objects.filter(pk=pair_id).first() if pair_id else None
    rule = pair.price_rule if pair else "original"
    order = line.order
    buyer = Buyer(order.entity_id, order.customer_id, order.currency)
    own = own_prices([(buyer, other_id, other_quantity)], now)[0] if rule != "original" else None
    ratio = (pair.units, pair.per) if pair else (1, 1)
    price, discount = exchange_price(rule, (line.unit_price, line.discount), own, ratio)
    asked = Substitution.objects.filter(line=line, other_id=other_id, state=State.PROPOSED).first()
    made = asked or Substitution(
        entity_id=order.entity_id,
        line=line,
        other_id=other_id,
        product_id=line.product_id,
        proposed_at=now,
    )
    made.pair, made.price_rule = pair, rule
    made.quantity, made.other_quantity = quantity, other_quantity
    made.unit_price, made.discount = price, discount
    made.save()
    return accept_substitution(substitution_id=made.pk, answer=answer, actor=actor, now=now)


@transaction.atomic
def decline_substitution(
    *, substitution_id: int, answer: str, actor: User | None, now: datetime
) -> Substitution:
    """Note that the customer does not want it: the line waits on, and it is not asked again.

    Declining again changes nothing.

    Raises:
        Substitution.DoesNotExist: there is none such.
        AnsweredOtherwise: it was accepted or withdrawn.
    """
    found = _locked(substitution_id)
    if found.state == State.DECLINED:
        return found
    _refuse_answered(found)
    line = OrderLine.objects.select_related("product", "order").get(pk=found.line_id)
    found.decline(at=now, by=None if actor is None else actor.pk, answer=answer[:ANSWER_MAX])
    found.save(update_fields=["state", "answered_at", "answered_by", "answer"])
    _record(found, line, actor, now)
    return found


@transaction.atomic
def withdraw_substitutions(*, line_ids: Collection[int], now: datetime) -> list[int]:
    """Ask no more about lines that wait for less by now; return the substitutions withdrawn."""
    found = rows(COVERED, {"lines": list(line_ids)})
    said = "The line waits for less by now"
    moved = move(Substitution, "withdraw", [row[0] for row in found], answered_at=now, answer=said)
    changes = [
        Change(
            entity_id=entity_id,
            action="orders.withdraw_substitution",
            subject_kind="orders.substitution",
            subject_id=pk,
            thread=f"orders.order:{order_id}",
            after={"state": "withdrawn"},
            reason=said,
        )
        for pk, entity_id, order_id in found
        if pk in moved
    ]
    if changes:
        record(changes=changes, actor=None, now=now)
    return list(moved)


def _locked(substitution_id: int) -> Substitution:
    """Lock the order's account, the order and the substitution, in this order."""
    asked = Substitution.objects.select_related("line").get(pk=substitution_id)
    lock([asked.line.order_id])
    return Substitution.objects.lock(substitution_id)


def _refuse_answered(found: Substitution) -> None:
    if found.state != State.PROPOSED:
        raise AnsweredOtherwise(f"It was {found.state} before: ask anew.")


def _exchange(found: Substitution, line: OrderLine, actor: User | None, now: datetime) -> OrderLine:
    """Write the other product's line and cancel what it replaces; return the line.

    Raises:
        NotThereAnyMore: allocation could not keep all of it.
    """
    draft = LineDraft(
        product_id=found.other_id,
        quantity=found.other_quantity,
        unit_price=found.unit_price,
        discount=found.discount,
        price_source=f"instead of {line.product.code}",
        price_basis={"kind": "substitute", "line": line.pk, "pair": found.pair_id},
        node_id=line.node_id,
        disposition=line.disposition,
        fresh_days=line.fresh_days,
    )
    order = amend_order(
        order_id=line.order_id,
        amendment=Amendment(
            lines=[LineChange(line.pk, less=found.quantity), draft],
            reason=f"Instead of {line.product.code}",
        ),
        actor=actor,
        now=now,
    )
    made = OrderLine.objects.filter(order=order).latest("position")
    made.instead_of, made.replaces = line, found.quantity
    made.save(update_fields=["instead_of", "replaces"])
    if order.state not in BEFORE_STOCK and made.waiting > 0:
        raise NotThereAnyMore("So much of it cannot be kept for the order.")
    return made


def _record(found: Substitution, line: OrderLine, actor: User | None, now: datetime) -> None:
    change = Change(
        entity_id=found.entity_id,
        action=f"orders.{found.state}_substitution",
        subject_kind="orders.substitution",
        subject_id=found.pk,
        thread=f"orders.order:{line.order_id}",
        after={
            "state": str(found.state),
            "line": line.position,
            "quantity": f"{found.quantity.normalize():f}",
            "other_quantity": f"{found.other_quantity.normalize():f}",
            "unit_price": f"{found.unit_price:f}",
        },
        reason=found.answer,
        policy_version=found.policy_version,
    )
    record(changes=[change], actor=actor, now=now)
