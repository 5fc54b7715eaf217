"""orders/views/_offers.py: price lists and their holders, customer groups, promotions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from erp.accounts.models import User
from erp.governance.models import Approval, ChangeRequest
from orders import permissions
from orders.models import Customer, CustomerGroup, ListHolder, PriceList, Promotion
from orders.services import GroupRow, PriceListRow, save_price_masters
from tests.conftest import grant
from tests.orders import factories as make
from tests.orders.api.test_customers import agree

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(clerk: User, client: Client) -> Client:
    for permission in (permissions.VIEW_PRICE, permissions.CHANGE_PRICE):
        grant(clerk, permission, make.company())
    client.force_login(clerk)
    return client


def spring(**values: Any) -> dict[str, Any]:
    today = timezone.localdate().isoformat()
    return {"entity": "US01", "code": "SPRING", "name": "Spring", "kind": "percent",
            "percent": "5", "valid_from": today, "reason": "season"} | values  # fmt: skip


class TestPriceLists:
    at = "/orders/prices/lists/new/"

    def test_a_list_that_nobody_holds_is_written_at_once(self, page) -> None:
        asked = {"entity": "US01", "code": "L1", "name": "One", "is_active": "on"}

        assert page.post(self.at, asked).status_code == 302

        assert (PriceList.objects.get().name, ChangeRequest.objects.count()) == ("One", 0)

    def test_who_comes_on_waits_until_somebody_agrees(self, page, deliver_all) -> None:
        make.account(make.customer("ACME"))
        asked = {"entity": "US01", "code": "L1", "name": "One", "is_active": "on"}
        page.post(self.at, asked)

        page.post("/orders/prices/lists/L1/", asked | {"customers": "ACME"})

        assert not ListHolder.objects.exists()
        change = ChangeRequest.objects.get()
        assert change.label == "L1: +ACME"
        agree(Approval.objects.get())
        deliver_all()
        assert ListHolder.objects.get().customer == Customer.objects.get(code="ACME")

    def test_what_moved_meanwhile_is_not_overwritten(self, page, deliver_all) -> None:
        account = make.account(make.customer("ACME"))
        asked = {"entity": "US01", "code": "L1", "name": "One", "is_active": "on"}
        page.post(self.at, asked)
        page.post("/orders/prices/lists/L1/", asked | {"customers": "ACME"})
        row = PriceListRow(entity_id=account.entity_id, code="L1", name="Other", currency="USD")
        save_price_masters(rows=[row], actor=None, now=make.NOW)

        agree(Approval.objects.get())
        deliver_all()

        assert ChangeRequest.objects.get().state == "void"
        assert (PriceList.objects.get().name, ListHolder.objects.count()) == ("Other", 0)

    def test_another_company_s_list_is_not_there(self, page) -> None:
        row = PriceListRow(
            entity_id=make.company("US02").pk, code="FAR", name="Far", currency="USD"
        )
        save_price_masters(rows=[row], actor=None, now=make.NOW)

        assert "FAR" not in page.get(reverse("orders:price_lists")).content.decode()
        assert page.get("/orders/prices/lists/FAR/").status_code == 404
        taken = page.post(self.at, {"entity": "US01", "code": "FAR", "name": "Mine"})
        assert taken.status_code == 422
        assert PriceList.objects.get().name == "Far"


class TestGroups:
    def test_members_whom_the_person_does_not_see_stay(self, page, deliver_all) -> None:
        far = make.account(make.customer("FAR"), entity=make.company("US02"))
        near = make.account(make.customer("NEAR"))
        row = GroupRow(code="RETAIL", name="Retail", members=[far.customer_id])
        save_price_masters(rows=[row], actor=None, now=make.NOW)
        at = "/orders/prices/groups/RETAIL/"
        assert "FAR" not in page.get(at).content.decode()

        page.post(at, {"name": "Retail", "members": "NEAR"})
        agree(Approval.objects.get())
        deliver_all()

        members = Customer.objects.filter(group__code="RETAIL").values_list("pk", flat=True)
        assert set(members) == {far.customer_id, near.customer_id}

    def test_one_below_itself_is_refused_before_anybody_is_asked(self, page) -> None:
        account = make.account(make.customer("ACME"))
        top = make.group("TOP")
        make.group("LEAF", top)
        Customer.objects.filter(pk=account.customer_id).update(group=top)

        asked = {"name": "Top", "parent": "LEAF", "members": "ACME"}
        told = page.post("/orders/prices/groups/TOP/", asked)

        assert (told.status_code, ChangeRequest.objects.count()) == (422, 0)
        assert "cannot stand below" in told.content.decode()

    def test_an_unknown_member_is_named(self, page) -> None:
        told = page.post(
            "/orders/prices/groups/new/", {"code": "R", "name": "R", "members": "NOBODY"}
        )

        assert (told.status_code, CustomerGroup.objects.count()) == (422, 0)
        assert "NOBODY" in told.content.decode()


class TestPromotions:
    at = "/orders/prices/promotions/new/"

    @pytest.mark.parametrize(("percent", "asked"), [("5", 0), ("5.0001", 1)])
    def test_exactly_at_the_tolerance_nobody_is_asked(self, page, percent: str, asked: int) -> None:
        make.company()

        page.post(self.at, spring(percent=percent))

        assert (ChangeRequest.objects.count(), Promotion.objects.count()) == (asked, 1 - asked)

    def test_free_goods_are_always_asked_for(self, page, deliver_all) -> None:
        make.company()
        gift = spring(kind="free", percent="", buy_quantity="10", free_quantity="1")

        page.post(self.at, gift)
        assert not Promotion.objects.exists()
        agree(Approval.objects.get())
        deliver_all()

        made = Promotion.objects.get()
        assert (made.kind, made.buy_quantity, made.free_quantity) == ("free", 10, 1)

    def test_ending_one_asks_nobody(self, page) -> None:
        make.company()
        since = timezone.localdate() - timedelta(days=3)
        page.post(self.at, spring(valid_from=since.isoformat()))
        made = Promotion.objects.get()

        page.post(reverse("orders:end_promotion", args=[made.pk]), {"reason": "over"})

        made = Promotion.objects.get()
        assert (made.valid_until, made.percent) == (timezone.localdate(), Decimal("0.05"))
        assert not ChangeRequest.objects.exists()
        assert (
            "SPRING" in page.get(reverse("orders:promotions"), {"when": "ended"}).content.decode()
        )
        assert "SPRING" not in page.get(reverse("orders:promotions")).content.decode()

    def test_nothing_off_is_no_promotion(self, page) -> None:
        make.company()

        assert page.post(self.at, spring(percent="")).status_code == 422

        assert not Promotion.objects.exists()

    def test_shows_who_is_on_it(self, page) -> None:
        account = make.account(make.customer("ACME"))
        row = GroupRow(code="RETAIL", name="Retail", members=[account.customer_id])
        save_price_masters(rows=[row], actor=None, now=make.NOW)
        page.post(self.at, spring(group="RETAIL"))
        made = Promotion.objects.get()

        shown = page.get(reverse("orders:promotion", args=[made.pk])).content.decode()

        assert "ACME" in shown
