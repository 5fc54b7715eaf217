"""What goes out instead, from allocation to the invoice: to the cent, with stock as the books."""

from decimal import Decimal

import pytest

from erp.kernel.invariants import by_code, check
from finance.models import InvoiceLine
from inventory.selectors import INVARIANTS as STOCK
from inventory.services.substituting import SubstituteDraft, save_substitute
from orders.models import CreditAccount, Order, OrderLine
from orders.selectors import INVARIANTS as ORDERS
from tests.finance import factories as make

pytestmark = pytest.mark.django_db


def test_is_shipped_and_invoiced_as_a_line_of_its_own() -> None:
    where = make.world()
    part = make.product(where, on_hand="3", unit_value="2")
    other = make.product(where, on_hand="100", unit_value="3")
    draft = SubstituteDraft(product=part.code, other=other.code, units=2, per=3, consent="always")
    save_substitute(draft=draft, actor=None, now=make.NOW)
    before = make.balance(where, "inventory")

    order, numbers = make.invoiced(where, (part, "7", "9.99"))

    original, instead = OrderLine.objects.filter(order=order).order_by("position")
    assert [original.quantity, original.shipped, original.cancelled] == [7, 3, 4]
    assert [instead.quantity, instead.shipped, instead.invoiced] == [6, 6, 6]
    assert [instead.unit_price, instead.amount] == [Decimal("6.66"), Decimal("39.96")]
    billed = {each.order_line_id: each.amount for each in InvoiceLine.objects.all()}
    assert billed == {original.pk: Decimal("29.97"), instead.pk: Decimal("39.96")}
    assert len(numbers) == 1
    assert make.balance(where, "inventory") - before == -(3 * 2 + 6 * 3)
    assert Order.objects.get(pk=order.pk).state == "invoiced"
    account = CreditAccount.objects.get(pk=where.account_id)
    assert [account.committed, account.unbilled, account.receivable] == [0, 0, Decimal("69.93")]
    assert make.drift() == {}
    broken = by_code([check(each) for each in [*STOCK, *ORDERS]])
    assert {code: found for code, found in broken.items() if found} == {}
