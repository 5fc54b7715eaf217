"""Kits on their pages and over REST; how an order shows what it asks for."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from orders import permissions
from orders.models import Kit, KitLine, OrderLine
from orders.services.kitting import KitPart, KitRefused, save_kit
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/kits/"


@pytest.fixture
def desk(clerk: User) -> User:
    rights = (permissions.VIEW, permissions.SUBMIT, permissions.VIEW_KIT, permissions.CHANGE_KIT)
    for permission in (*rights, permissions.VIEW_CUSTOMER):
        grant(clerk, permission, make.company())
    make.priced("50", "KT-1")
    make.priced("10", "HX-110")
    make.priced("20", "HX-220")
    return clerk


@pytest.fixture
def page(desk: User, client: Client) -> Client:
    client.force_login(desk)
    return client


def typed(**values: object) -> dict:
    return {
        "product": "kt-1",
        "is_active": "on",
        "part": ["hx-110", "HX-220", ""],
        "quantity": ["2", "0.5", ""],
    } | values


def body(**values: object) -> dict:
    parts = [{"product": "HX-110", "quantity": "2"}, {"product": "hx-220", "quantity": "0.5"}]
    return {"product": "KT-1", "parts": parts} | values


def parts() -> dict[str, Decimal]:
    return dict(Kit.objects.get().components.values_list("product__code", "quantity"))


class TestPages:
    def test_a_kit_is_written_changed_and_listed(self, page) -> None:
        saved = page.post(reverse("orders:new_kit"), typed())
        assert saved["Location"] == reverse("orders:kit", args=["KT-1"])
        assert parts() == {"HX-110": 2, "HX-220": Decimal("0.5")}

        change = typed(part=["HX-110", ""], quantity=["3", ""], valid_until="2026-12-31")
        page.post(reverse("orders:edit_kit", args=["KT-1"]), change)

        assert parts() == {"HX-110": 3}
        assert f"{Kit.objects.get().valid_until}" == "2026-12-31"
        listed = page.get(reverse("orders:kits")).content.decode()
        assert "3 x HX-110" in listed
        assert "KT-1" not in page.get(reverse("orders:kits"), {"q": "HX-220"}).content.decode()
        assert "KT-1" in page.get(reverse("orders:kits"), {"q": "hx-110"}).content.decode()

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"product": "NOPE"}, "There is no such product."),
            ({"part": ["NOPE", ""]}, "There is no such product."),
            ({"quantity": ["x", "1"]}, "Write a number such as 12.5."),
            ({"quantity": ["", "1"]}, "How many?"),
            ({"part": ["KT-1", ""]}, "A part of a kit is no kit itself."),
            ({"part": ["", ""], "quantity": ["", ""]}, "Name one to 50 different parts."),
            ({"valid_from": "2026-12-02", "valid_until": "2026-12-01"}, "ends before it begins"),
        ],
    )
    def test_what_makes_no_kit_is_said_and_nothing_typed_is_lost(self, page, values, said) -> None:
        answer = page.post(reverse("orders:new_kit"), typed(**values))

        text = answer.content.decode()
        assert answer.status_code == 422
        assert said in text
        for cell in typed(**values)["part"]:
            assert f'value="{cell}"' in text
        assert not Kit.objects.exists()

    def test_whole_kits_are_counted_by_the_scarcest_part_at_each_node(self, page) -> None:
        page.post(reverse("orders:new_kit"), typed())
        for code, quantity in (("HX-110", 9), ("HX-220", 1)):
            make.stocked(make.product(code), quantity)

        shown = page.get(reverse("orders:kit", args=["KT-1"]))

        (bar,) = shown.context["bars"]
        assert bar["value"] == 2

    def test_an_order_shows_the_kit_above_its_parts(self, page) -> None:
        page.post(reverse("orders:new_kit"), typed())
        order = make.submitted(make.account(), make.line(make.product("KT-1"), 4))

        shown = page.get(reverse("orders:page", args=[order.number]))

        (first, second) = shown.context["order"].lines
        assert (first.kit_code, first.kits, first.kit_amount) == ("KT-1", 4, 200)
        assert (first.per_kit, second.per_kit, second.kit_code) == (2, Decimal("0.5"), "")
        assert "in one kit" in shown.content.decode()

    def test_who_may_not_change_it_sees_it_only(self, clerk, client) -> None:
        grant(clerk, permissions.VIEW_KIT, make.company())
        client.force_login(clerk)

        assert client.get(reverse("orders:kits")).status_code == 200
        assert client.get(reverse("orders:new_kit")).status_code == 403


class TestRest:
    def test_written_read_changed(self, desk, api: APIClient) -> None:
        made = api.post(URL, body())
        assert made.status_code == 201
        assert made["Location"] == f"{URL}KT-1/"
        changed = api.patch(f"{URL}KT-1/", {"is_active": False, "valid_from": "2026-12-01"})

        shown = changed.json()
        assert (shown["is_active"], shown["valid_from"]) == (False, "2026-12-01")
        assert [part["quantity"] for part in shown["parts"]] == ["2.000", "0.500"]
        listed = api.get(URL, {"part": "HX-110"}).json()["results"]
        assert [(row["product"], len(row["parts"])) for row in listed] == [("KT-1", 2)]
        assert api.get(URL, {"is_active": "true"}).json()["results"] == []

    def test_written_twice_is_recorded_once(self, desk, api: APIClient) -> None:
        for _twice in range(2):
            api.post(URL, body())

        assert Kit.objects.count() == 1
        assert AuditEntry.objects.filter(action="orders.save_kit").count() == 1

    def test_what_is_wrong_is_named(self, desk, api: APIClient) -> None:
        for wish, status, field in (
            (body(product="NOPE"), 400, "product"),
            (body(parts=[{"product": "NOPE", "quantity": "1"}]), 400, "parts[0].product"),
            (body(parts=[{"product": "HX-110", "quantity": "0"}]), 400, "parts[0].quantity"),
        ):
            answer = api.post(URL, wish)
            assert answer.status_code == status
            assert answer.json()["errors"][0]["field"] == field
        nested = api.post(URL, body(parts=[{"product": "KT-1", "quantity": "1"}]))
        assert (nested.status_code, nested.json()["code"]) == (409, "nested_kit")
        assert not Kit.objects.exists()


class TestPeriod:
    @pytest.mark.parametrize(
        ("since", "until", "is_kit"),
        [
            (0, 0, True),
            (-1, 1, True),
            (None, 0, True),
            (0, None, True),
            (1, None, False),
            (None, -1, False),
        ],
    )
    def test_it_is_a_kit_on_its_days_only(self, since, until, is_kit) -> None:
        kit, part = make.priced("50"), make.priced("10")
        days = [n if n is None else make.TODAY + timedelta(days=n) for n in (since, until)]
        save_kit(
            product_id=kit.pk,
            parts=[KitPart(part.pk, Decimal(2))],
            valid_from=days[0],
            valid_until=days[1],
            actor=None,
            now=make.NOW,
        )

        make.created(make.account(), make.line(kit, 3))

        assert KitLine.objects.exists() is is_kit
        assert OrderLine.objects.get().product_id == (part.pk if is_kit else kit.pk)

    def test_it_does_not_end_before_it_begins(self) -> None:
        kit, part = make.priced("50"), make.priced("10")

        with pytest.raises(KitRefused):
            save_kit(
                product_id=kit.pk,
                parts=[KitPart(part.pk, Decimal(2))],
                valid_from=make.TODAY,
                valid_until=make.TODAY - timedelta(days=1),
                actor=None,
                now=make.NOW,
            )

        assert not Kit.objects.exists()
