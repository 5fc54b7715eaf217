"""finance/selectors/_customers.py"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from finance.models import Invoice
from finance.selectors import ageing_of_customer, unpaid_of_customer
from orders.models import Customer
from tests.finance import factories as make
from tests.orders.factories import person

pytestmark = pytest.mark.django_db


def due(days_ago: int) -> tuple[str, int]:
    """Make an unpaid invoice that was due so long ago; return its customer and entity."""
    where = make.world()
    make.invoiced(where, (make.product(where), "2", "10"))
    Invoice.objects.update(due_date=timezone.now().date() - timedelta(days=days_ago))
    return Customer.objects.get(pk=where.customer.pk).code, where.entity.pk


class TestAgeingOfCustomer:
    @pytest.mark.parametrize(
        ("late", "bucket"),
        [(0, "not_due"), (1, "to_30"), (30, "to_30"), (31, "to_60"), (60, "to_60"),
         (61, "to_90"), (90, "to_90"), (91, "older")],
    )  # fmt: skip
    def test_counts_an_invoice_in_the_bucket_of_its_days(self, late: int, bucket: str) -> None:
        code, entity_id = due(late)

        [found] = ageing_of_customer(code=code, entity_ids=[entity_id])
        [row] = unpaid_of_customer(code=code, entity_ids=[entity_id])

        assert getattr(found, bucket) == found.total == row.open == Decimal(20)
        assert (found.overdue, row.days_overdue) == (int(late > 0), late)

    def test_shows_nothing_of_another_entity(self) -> None:
        code, entity_id = due(5)

        assert not ageing_of_customer(code=code, entity_ids=[entity_id + 1])
        assert not unpaid_of_customer(code=code, entity_ids=[entity_id + 1])


class TestOfCustomer:
    def test_is_a_part_of_the_customer_s_page(self, client: Client) -> None:
        code, _ = due(5)
        client.force_login(person("ar", "ar"))

        answer = client.get(f"/finance/of-customer/{code}/")

        assert answer.status_code == 200
        assert "5 days late" in answer.content.decode()
        assert "$20.00" in answer.content.decode()
        assert "Nothing is open" in client.get("/finance/of-customer/NOBODY/").content.decode()

    def test_names_no_case_of_an_unknown_customer(self, client: Client) -> None:
        make.world()
        client.force_login(person("ar", "ar"))

        answer = client.get("/exceptions/of-customer/NOBODY/")

        assert "No exception waits" in answer.content.decode()
