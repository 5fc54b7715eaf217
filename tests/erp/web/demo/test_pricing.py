"""erp/web/demo/pricing.py"""

from datetime import UTC, date, datetime

import pytest

from erp.web.demo.company import make_company
from erp.web.demo.founding import found
from orders.models import Customer, CustomerGroup, CustomerProduct, Price, PriceList, Promotion

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.django_db
class TestPriceCompany:
    def test_gives_every_entity_a_list_groups_and_promotions(self) -> None:
        company = make_company(seed=7, products=40, customers=60, suppliers=3)

        found(company, seed=7, today=date(2026, 11, 22), now=NOW)

        assert PriceList.objects.count() == len(company.entities)
        build = CustomerGroup.objects.get(code="BUILD")
        assert build.parent is not None
        assert build.parent.code == "TRADE"
        assert Customer.objects.filter(group__isnull=False).exists()
        assert Price.objects.filter(kind="group").count() == 6 * len(company.entities)
        assert Price.objects.filter(price_list__isnull=False).exists()
        assert Promotion.objects.count() == 3 * len(company.entities)
        assert CustomerProduct.objects.exists()
