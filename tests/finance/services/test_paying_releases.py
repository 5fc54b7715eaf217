"""finance/services/_paying.py: cash posted lets a held order go on, all the way to its stock."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from erp.governance.selectors import timeline
from finance.models import Invoice
from finance.services import PaymentDraft, post_payments
from orders.models import CreditAccount, Hold, Order
from tests.finance.factories import NOW, TODAY, World, invoiced, product, released

pytestmark = pytest.mark.django_db


def test_cash_releases_what_waits_for_credit_and_names_the_rule(
    world: World, deliver_all: Callable[[], int]
) -> None:
    goods = product(world)
    invoiced(world, (goods, "10", "10"))
    owed = Invoice.objects.get()
    CreditAccount.objects.filter(pk=world.account_id).update(credit_limit=Decimal(100))
    waiting = released(world, (goods, "1", "10"))
    deliver_all()
    assert Order.objects.get(pk=waiting.pk).state == "held"

    draft = PaymentDraft(
        entity_id=world.entity.pk,
        customer_id=world.customer.pk,
        amount=owed.total,
        reference="transfer",
        received_date=TODAY,
        allocations=[(owed.number, owed.total)],
    )
    post_payments(payments=[draft], actor=None, now=NOW)
    in_that_commit = Order.objects.get(pk=waiting.pk).state
    deliver_all()

    order = Order.objects.get(pk=waiting.pk)
    hold = Hold.objects.get(order=order)
    entry = AuditEntry.objects.get(action="orders.lift_credit_hold")
    assert (in_that_commit, order.state) == ("released", "allocated")
    assert (hold.state, hold.lifted_by, hold.lift_reason) == ("lifted", None, "payment")
    assert entry.after["rule"].startswith("orders.release.credit v")
    told = timeline(thread=f"orders.order:{order.pk}", entity_ids=[world.entity.pk])
    assert "orders.lift_credit_hold" in {row.action for row in told}
    account = CreditAccount.objects.get(pk=world.account_id)
    assert (account.paid_count, account.paid_late_count) == (1, 0)


def test_a_cent_too_little_releases_nothing(world: World) -> None:
    goods = product(world)
    invoiced(world, (goods, "10", "10"))
    owed = Invoice.objects.get()
    CreditAccount.objects.filter(pk=world.account_id).update(credit_limit=Decimal(10))
    waiting = released(world, (goods, "1", "10"))

    draft = PaymentDraft(
        entity_id=world.entity.pk,
        customer_id=world.customer.pk,
        amount=owed.total - Decimal("0.01"),
        reference="transfer",
        received_date=TODAY,
        allocations=[(owed.number, owed.total - Decimal("0.01"))],
    )
    post_payments(payments=[draft], actor=None, now=NOW)

    assert Order.objects.get(pk=waiting.pk).state == "held"
    assert not AuditEntry.objects.filter(action="orders.lift_credit_hold").exists()
