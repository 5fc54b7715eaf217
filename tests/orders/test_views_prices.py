"""orders/views/_prices.py: the pages of prices and contracts."""

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from erp.accounts.models import User
from erp.governance.models import Approval, ChangeRequest
from orders import permissions
from orders.models import Price
from orders.selectors import PriceFilters, price_grid
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
GRID = "/orders/prices/"


@pytest.fixture
def page(clerk: User, client: Client) -> Client:
    for permission in (permissions.VIEW_PRICE, permissions.CHANGE_PRICE):
        grant(clerk, permission, make.company())
    client.force_login(clerk)
    return client


class TestGrid:
    def test_is_narrowed_by_owner_kind_product_and_time(self, page) -> None:
        mine = make.customer("ACME")
        part = make.priced("10", "HX-110")
        make.listed(part, "9", customer_id=mine.pk)
        make.listed(part, "8", valid_from=date(2090, 1, 1))
        make.priced("3", "KT-014")

        def shown(**asked: str) -> str:
            return page.get(GRID, asked).content.decode()

        assert shown().count("data-href") == 3
        assert "$9.00" in shown(owner="ACME")
        assert "$10.00" not in shown(owner="ACME")
        assert "KT-014" not in shown(product="hx")
        assert shown(kind="contract").count("data-href") == 1
        assert "$8.00" in shown(when="future")
        assert shown(when="all").count("data-href") == 4

    def test_is_paged_by_product(self) -> None:
        for n in range(5):
            make.priced("1", f"P-{n}")
        asked = {"entity_ids": [make.company().pk], "filters": PriceFilters(), "on": make.TODAY}

        first, cursor = price_grid(**asked, limit=3)
        rest, end = price_grid(**asked, limit=3, after=cursor)

        assert [row.product for row in first + rest] == [f"P-{n}" for n in range(5)]
        assert end == ""

    def test_shows_nothing_of_another_company(self, page) -> None:
        make.priced("10", "FAR", entity=make.company("US02"))

        assert "FAR" not in page.get(GRID).content.decode()
        price = Price.objects.get()
        assert page.get(reverse("orders:new_price"), {"of": price.pk}).status_code == 404

    def test_is_taken_away_as_csv(self, page) -> None:
        make.listed(make.priced("10", "HX-110"), "9", customer_id=make.customer("ACME").pk)

        lines = page.get(reverse("orders:export_prices")).content.decode().splitlines()

        assert lines[0].startswith("product,customer,group,price_list,uom,min_quantity,unit_price")
        assert lines[1:] == [
            "HX-110,,,,,0.000,10.0000,USD,2026-01-01,,US01",
            "HX-110,ACME,,,,0.000,9.0000,USD,2026-01-01,,US01",
        ]


class TestNewPrice:
    def test_ends_the_old_one_and_tells_its_story(self, page) -> None:
        make.priced("10", "HX-110")
        old = Price.objects.get()
        at = f"{reverse('orders:new_price')}?of={old.pk}"
        first = page.get(at).content.decode()
        asked = {
            "entity": "US01",
            "product": "HX-110",
            "min_quantity": "0",
            "unit_price": "10.20",
            "valid_from": "2090-01-01",
            "reason": "resin",
            "seen": f"{old.pk}.{old.revision}",
        }

        answer = page.post(at, asked)
        late = page.post(at, asked | {"unit_price": "10.30"})

        assert 'value="10.0000"' in first
        assert answer.status_code == 302
        assert late.status_code == 409
        assert Price.objects.get(valid_until=None).unit_price == Decimal("10.20")
        assert "resin" in page.get(at).content.decode()

    def test_says_what_is_wrong_beside_its_field(self, page) -> None:
        asked = {"entity": "US01", "product": "NOPE", "min_quantity": "0", "unit_price": "1"}

        answer = page.post(reverse("orders:new_price"), asked | {"valid_from": "2026-01-01"})

        assert answer.status_code == 422
        assert "There is nothing of that code." in answer.content.decode()


class TestChangeMany:
    def test_previews_then_changes_within_the_tolerance(self, page) -> None:
        for code in ("HX-1", "HX-2", "KT-1"):
            make.priced("10", code)
        today = timezone.localdate()
        asked = {"percent": "5", "starts": today.isoformat(), "product": "HX"}
        at = reverse("orders:change_prices")

        preview = page.get(at, asked).content.decode()
        assert Price.objects.count() == 3
        answer = page.post(f"{at}?product=HX", asked)

        assert "2 prices would change" in preview
        assert "$10.50" in preview
        assert answer.status_code == 302
        current = Price.objects.filter(valid_until=None).order_by("product__code")
        assert [price.unit_price for price in current] == [Decimal("10.5"), Decimal("10.5"), 10]

    def test_asks_somebody_else_beyond_it(self, page) -> None:
        make.priced("10", "HX-1")
        make.priced("20", "HX-2")
        asked = {"percent": "-8", "starts": timezone.localdate().isoformat(), "reason": "season"}

        page.post(reverse("orders:change_prices"), asked)

        change = ChangeRequest.objects.get()
        assert change.label.startswith("2 prices")
        assert len(change.payload["rows"]) == 2
        assert Approval.objects.get().permission == permissions.APPROVE_PRICE
        assert Price.objects.filter(valid_until=None, unit_price__in=[10, 20]).count() == 2
        assert "controller" in page.get(GRID).content.decode()
