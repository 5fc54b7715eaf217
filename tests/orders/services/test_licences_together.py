"""orders/services/_exporting.py when orders race for what is left of a licence."""

import pytest
from django.db import IntegrityError, transaction

from orders.models import ExportLicence, Hold, LicenceUse, Order
from orders.services import cancel_order, submit_order
from tests.orders import compliance as law
from tests.orders import factories as make
from tests.orders.services.test_submitting_together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_orders_racing_for_the_rest_exactly_one_passes_fifty_times() -> None:
    law.restriction(ship_to=("AE",))
    law.exception(needs_licence=True)
    part = make.priced("1", export_code="5A002")
    ons = [make.account(make.customer(country="AE")) for _ in range(2)]
    won = 0
    for _ in range(50):
        paper = law.licence(number="REST", quantity_max="10")
        ids = [make.created(on, make.line(part, 6)).pk for on in ons]

        found = at_once(
            *(lambda pk=pk: submit_order(order_id=pk, actor=None, now=make.NOW) for pk in ids)
        )

        assert not [each for each in found if isinstance(each, Exception)]
        asked = Order.objects.filter(pk__in=ids)
        went = asked.filter(released_at=make.NOW).count()
        won += (went, asked.filter(state="held", released_at=None).count()) == (1, 1)
        assert ExportLicence.objects.get(pk=paper.pk).quantity_used == 6
        for order in asked:
            cancel_order(order_id=order.pk, actor=None, reason="again", now=make.NOW)
        assert ExportLicence.objects.get(pk=paper.pk).quantity_used == 0
    assert won == 50
    assert not Hold.objects.filter(state="active").exists()
    assert not LicenceUse.objects.filter(quantity__gt=0).exists()


def test_the_database_itself_lets_nobody_take_more_than_there_is() -> None:
    paper = law.licence(quantity_max="10", value_max="5")

    for column, value in (("quantity_used", "10.001"), ("value_used", "5.0001")):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExportLicence.objects.filter(pk=paper.pk).update(**{column: value})
