"""The customer's page by a signed link: what opens it, what it shows, what it keeps to itself."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse

from erp.accounts.models import User
from inventory.models import Shipment
from orders import permissions
from orders.models import Order, TrackingKey
from orders.selectors import LINK_DAYS, tracking_token
from orders.services import keep_backorder
from orders.services.kitting import KitPart, save_kit
from orders.services.telling import revoke_tracking
from orders.views import _tracking
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def order(**values: object) -> Order:
    part = make.priced("12.34", "HX-110")
    make.stocked(part, 50)
    return make.allocated(make.account(), make.line(part, 5), **values)


def address(of: Order) -> str:
    return reverse("orders:track", args=[tracking_token(order_id=of.pk)])


class TestWhatOpensIt:
    def test_the_link_of_the_order_without_signing_in(self, client: Client) -> None:
        made = order(customer_po="PO-77")

        answer = client.get(address(made))

        assert answer.status_code == 200
        assert made.number in answer.content.decode()
        assert "PO-77" in answer.content.decode()
        assert answer["X-Robots-Tag"].startswith("noindex")
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "private, no-store"
        assert 'name="robots" content="noindex' in answer.content.decode()

    def test_another_order_s_link_shows_that_order_only(self, client: Client) -> None:
        one = order()
        other = make.submitted(one.account, make.line(make.priced("1"), 1))

        shown = client.get(address(one)).content.decode()

        assert one.number in shown
        assert other.number not in shown

    @pytest.mark.parametrize("how", ["forged", "changed", "other_salt", "nonsense", "long", "form"])
    def test_nothing_else(self, client: Client, how: str) -> None:
        one, other = order(), make.created(make.account(), make.line(make.priced("1"), 1))
        token = tracking_token(order_id=one.pk)
        head = signing.dumps([other.pk, 0], salt="x").split(":")[0]
        token = {
            "forged": token[:-1] + ("A" if token[-1] != "A" else "B"),
            "changed": ":".join([head, *token.split(":")[1:]]),
            "other_salt": signing.dumps([one.pk, 0], salt="orders.invoice"),
            "nonsense": "nope",
            "long": "a" * 5_000,
            "form": signing.dumps({"order": one.pk}, salt="orders.tracking"),
        }[how]

        answer = client.get(reverse("orders:track", args=[token]))

        assert answer.status_code == 404
        assert "This link opens nothing" in answer.content.decode()
        assert one.number not in answer.content.decode()
        assert other.number not in answer.content.decode()

    @pytest.mark.parametrize(("seconds", "status"), [(-60, 200), (60, 404)])
    def test_only_so_many_days(self, client: Client, monkeypatch, seconds, status) -> None:
        made = order()
        at = address(made)
        later = signing.time.time() + timedelta(days=LINK_DAYS).total_seconds() + seconds
        monkeypatch.setattr(signing.time, "time", lambda: later)

        assert client.get(at).status_code == status

    def test_not_once_it_is_revoked_and_others_still(self, client: Client) -> None:
        made, other = order(), make.created(make.account(), make.line(make.priced("1"), 1))
        old, others = address(made), address(other)

        revoke_tracking(order_id=made.pk, actor=None, now=make.NOW)

        assert client.get(old).status_code == 404
        assert client.get(address(made)).status_code == 200
        assert client.get(others).status_code == 200
        assert TrackingKey.objects.count() == 1

    def test_not_more_often_than_thirty_times_a_minute(self, client: Client, monkeypatch) -> None:
        at = address(order())
        monkeypatch.setattr(_tracking, "PER_MINUTE", 3)

        found = [client.get(at).status_code for _ in range(5)]

        assert found == [200, 200, 200, 429, 429]
        assert client.get(at, REMOTE_ADDR="10.0.0.9").status_code == 200


class TestWhatItShows:
    def test_no_price_and_no_reason_of_ours(self, client: Client) -> None:
        made = make.submitted(make.account(limit="1"), make.line(make.priced("12.34", "HX-110"), 5))
        assert made.state == "held"

        shown = client.get(address(made)).content.decode()

        assert "Being checked" in shown
        for kept in ("12.34", "61.7", "credit", "Credit", "held", "limit", "margin"):
            assert kept not in shown, kept

    def test_shipments_with_carrier_number_and_days(self, client: Client) -> None:
        made = order()
        make.floor(made, ships=True)
        Shipment.objects.update(tracking_number="1Z999")

        answer = client.get(address(made))

        shown = answer.content.decode()
        assert "1Z999" in shown
        assert "On its way" in shown
        steps = {step["label"]: bool(step["at"]) for step in answer.context["steps"]}
        assert steps == {
            "Received": True, "Confirmed": True, "Picked": True, "Packed": True, "Shipped": True,
            "Delivered": False, "Invoiced": False,
        }  # fmt: skip

    def test_a_promise_that_moved_stands_with_the_first(self, client: Client) -> None:
        part = make.priced("10")
        made = make.allocated(make.account(), make.line(part, 5))
        (line,) = make.lines_of(made)
        first, later = (make.TODAY + timedelta(days=n) for n in (5, 9))
        for day in (first, later):
            keep_backorder(line_id=line.pk, promised_date=day, actor=None, now=make.NOW)

        (change,) = client.get(address(made)).context["order"].changes

        assert (change["first_promised_date"], change["promised_date"]) == (first, later)

    def test_a_kit_is_one_line(self, client: Client) -> None:
        kit, one, two = make.priced("50", "KT-1"), make.priced("1"), make.priced("2")
        parts = [KitPart(one.pk, Decimal(2)), KitPart(two.pk, Decimal(1))]
        save_kit(product_id=kit.pk, parts=parts, actor=None, now=make.NOW)
        made = make.submitted(make.account(), make.line(kit, 3), make.line(one, 7))

        found = client.get(address(made)).context["order"].lines

        assert [(each["product"], each["ordered"]) for each in found] == [
            ("KT-1", 3), (one.code, 7),
        ]  # fmt: skip


class TestOnTheOrderPage:
    def test_it_is_copied_and_revoked_by_who_may(self, clerk: User, client: Client) -> None:
        made = order()
        for permission in (permissions.VIEW, permissions.VIEW_CUSTOMER):
            grant(clerk, permission, make.company())
        client.force_login(clerk)
        page = reverse("orders:page", args=[made.number])
        revoke = reverse("orders:revoke_tracking", args=[made.number])

        assert "/orders/track/" in client.get(page).content.decode()
        assert client.post(revoke).status_code == 403
        grant(clerk, permissions.FOLLOW, make.company())
        client.force_login(clerk)
        client.post(revoke)

        assert TrackingKey.objects.get().serial == 1
        assert "Tracking links revoked" in client.get(page).content.decode()
