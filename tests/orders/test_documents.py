"""`/orders/{number}/documents/`: the papers an order came from and led to."""

from datetime import timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from orders import permissions
from orders.models import Order, Quote
from orders.services import submit_order
from orders.services.agreeing import (
    BlanketDraft,
    BlanketLineDraft,
    CallOffPart,
    activate_blanket,
    call_off,
    write_blanket,
)
from orders.services.quoting import QuoteDraft, order_quote, send_quote, write_quote
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
LATER = make.TODAY + timedelta(days=30)


@pytest.fixture
def desk(clerk: User) -> User:
    grant(clerk, permissions.VIEW, make.company())
    return clerk


def papers(api: APIClient, order: Order) -> list[dict]:
    return api.get(f"/api/v1/orders/{order.number}/documents/").json()["results"]


def quoted() -> tuple[Order, Quote]:
    part = make.priced("10")
    make.stocked(part, 9)
    wish = QuoteDraft(make.draft(make.account(), make.line(part, 3)), LATER, "")
    quote = write_quote(draft=wish, actor=None, now=make.NOW)
    send_quote(quote_id=quote.pk, actor=None, now=make.NOW)
    made = order_quote(quote_id=quote.pk, channel="api", actor=None, now=make.NOW)
    return Order.objects.get(pk=made.id), Quote.objects.get()


def test_a_draft_has_the_quote_it_came_from_and_no_more(desk, api) -> None:
    order, quote = quoted()

    (paper,) = papers(api, order)

    assert (paper["kind"], paper["number"], paper["total"]) == ("quote", quote.number, "30.0000")


def test_shipments_follow_the_quote(desk, api) -> None:
    order, quote = quoted()
    submit_order(order_id=order.pk, actor=None, now=make.NOW)
    make.allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW)
    make.floor(order, ships=True)

    found = papers(api, order)

    assert [each["kind"] for each in found] == ["quote", "shipment"]
    assert (found[0]["number"], found[1]["state"]) == (quote.number, "shipped")


def test_a_call_off_names_its_blanket_order(desk, api) -> None:
    account, part = make.account(), make.priced("10")
    draft = BlanketDraft(
        entity_id=account.entity_id,
        customer_id=account.customer_id,
        valid_from=make.TODAY,
        valid_until=LATER,
        lines=[BlanketLineDraft(product_id=part.pk, quantity=Decimal(10))],
    )
    blanket = write_blanket(draft=draft, actor=None, now=make.NOW)
    activate_blanket(blanket_id=blanket.pk, actor=None, now=make.NOW)
    parts = [CallOffPart(blanket.lines.get().pk, Decimal(4))]
    made = call_off(blanket_id=blanket.pk, parts=parts, actor=None, now=make.NOW)

    (paper,) = papers(api, Order.objects.get(pk=made.id))

    assert (paper["kind"], paper["number"]) == ("blanket_order", blanket.number)


def test_another_order_has_none_and_another_company_s_is_not_there(desk, api) -> None:
    quoted()
    plain = make.created(make.account(), make.line(make.priced("1"), 1))
    assert papers(api, plain) == []

    Entity.objects.create(code="DE01", name="Other", currency="EUR", country="DE")
    Order.objects.update(entity=Entity.objects.get(code="DE01"))

    assert api.get(f"/api/v1/orders/{plain.number}/documents/").status_code == 404
