"""orders/services/telling: each milestone told once to each who wants to know it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from erp.outbox import delivery
from erp.outbox.models import Delivery, Message
from inventory.events import ShipmentFailed, ShipmentShipped
from inventory.models import Shipment
from orders import handlers, permissions
from orders.events import OrderReleased
from orders.models import CreditAccount, MilestoneNotice, MilestoneSubscription, Order
from orders.services.telling import (
    BadSubscription,
    Reached,
    SubscriptionDraft,
    follow_milestones,
    note_milestones,
    stop_following,
)
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
WHO: dict[str, Any] = {"actor": None, "now": make.NOW}


def follow(on: CreditAccount, channel: str = "email", **values: Any) -> MilestoneSubscription:
    address = values.pop("address", "buyer@example.com" if channel == "email" else "")
    values |= {"entity_id": on.entity_id, "customer_id": on.customer_id}
    draft = SubscriptionDraft(channel=channel, address=address, **values)
    return follow_milestones(draft=draft, **WHO)


def told() -> list[tuple[str, str]]:
    return list(MilestoneNotice.objects.order_by("id").values_list("kind", "subject"))


class TestFollowMilestones:
    def test_the_same_party_is_one_subscription(self) -> None:
        account = make.account()

        first = follow(account)
        again = follow(account, kinds=["shipped"])

        assert first.pk == again.pk
        assert MilestoneSubscription.objects.get().kinds == ["shipped"]
        assert AuditEntry.objects.filter(action="orders.follow_milestones").count() == 2

    def test_two_without_an_order_cannot_be_in_the_table(self) -> None:
        found = follow(make.account())
        found.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            found.save(force_insert=True)

    @pytest.mark.parametrize(
        "values",
        [
            {"address": "nobody"},
            {"address": ""},
            {"channel": "pigeon"},
            {"kinds": ["lost"]},
            {"order_id": 0x7FFFFFFF},
        ],
    )
    def test_refuses_what_cannot_be_told(self, values) -> None:
        with pytest.raises(BadSubscription):
            follow(make.account(), **values)

        assert not MilestoneSubscription.objects.exists()

    def test_refuses_another_customer_s_order(self) -> None:
        order = make.created(make.account(), make.line(make.priced("1"), 1))

        with pytest.raises(BadSubscription):
            follow(make.account(), order_id=order.pk)


class TestNoteMilestones:
    def order(self, **values: Any) -> Order:
        part = make.priced("10")
        make.stocked(part, 50)
        account = make.account()
        follow(account, **values)
        return make.allocated(account, make.line(part, 5))

    def test_the_whole_way_of_an_order(self, deliver_all: Callable[[], int]) -> None:
        order = self.order()
        make.floor(order, ships=True)
        deliver_all()

        number = Shipment.objects.get().number
        assert sorted(told()) == sorted(
            [
                ("received", ""), ("released", ""), ("allocated", ""), ("picked", number),
                ("packed", number), ("shipped", number),
            ]
        )  # fmt: skip
        assert len(mail.outbox) == 6
        assert {letter.to[0] for letter in mail.outbox} == {"buyer@example.com"}
        assert set(MilestoneNotice.objects.values_list("state", flat=True)) == {"told"}

    def test_a_fact_delivered_twice_is_told_once(self, deliver_all: Callable[[], int]) -> None:
        order = self.order()
        deliver_all()
        sent = len(mail.outbox)
        fact = OrderReleased(order_id=order.pk, number=order.number, entity_id=order.entity_id)

        handlers.tell_of_release([fact, fact])
        handlers.tell_of_release([fact])
        deliver_all()

        assert len(mail.outbox) == sent
        assert told().count(("released", "")) == 1
        assert AuditEntry.objects.filter(action="orders.tell_milestone").count() == len(told())

    def test_the_table_refuses_the_same_state_twice(self) -> None:
        order = self.order()
        note_milestones(reached=[Reached(order.pk, "released")], now=make.NOW)
        notice = MilestoneNotice.objects.get()
        notice.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            notice.save(force_insert=True)

    def test_only_what_is_wanted_and_only_while_it_is(self, deliver_all) -> None:
        order = self.order(kinds=["shipped"])
        note_milestones(reached=[Reached(order.pk, "released")], now=make.NOW)
        assert told() == []

        note_milestones(reached=[Reached(order.pk, "shipped", "SH-1")], now=make.NOW)
        stop_following(subscription_id=MilestoneSubscription.objects.get().pk, **WHO)
        note_milestones(reached=[Reached(order.pk, "shipped", "SH-2")], now=make.NOW)

        assert told() == [("shipped", "SH-1")]

    def test_a_subscription_of_one_order_hears_nothing_of_another(self) -> None:
        account, part = make.account(), make.priced("10")
        one = make.submitted(account, make.line(part, 1))
        other = make.submitted(account, make.line(part, 2))
        follow(account, order_id=one.pk)

        reached = [Reached(each.pk, "released") for each in (one, other)]
        note_milestones(reached=reached, now=make.NOW)

        assert MilestoneNotice.objects.get().order_id == one.pk

    def test_in_the_house_it_is_told_at_once_and_not_mailed(self, deliver_all) -> None:
        order = self.order(channel="in_app")
        note_milestones(reached=[Reached(order.pk, "released")], now=make.NOW)

        assert MilestoneNotice.objects.get().told_at == make.NOW
        assert not Message.objects.filter(name="orders.milestone_reached").exists()

    def test_what_falls_short_is_delayed_and_not_allocated(self, deliver_all) -> None:
        account = make.account()
        follow(account)
        order = make.allocated(account, make.line(make.priced("10"), 5))
        assert order.state == "backordered"

        deliver_all()

        assert sorted(told()) == [("delayed", ""), ("received", ""), ("released", "")]
        (letter,) = (each for each in mail.outbox if "delayed" in each.subject)
        assert "Not all of it is in stock." in letter.body

    @pytest.mark.parametrize(("days", "is_late"), [(0, False), (1, True)])
    def test_a_later_promise_is_a_delay_with_its_day(self, days, is_late) -> None:
        order = self.order()
        day = order.requested_date + timedelta(days=days)
        Order.objects.filter(pk=order.pk).update(promised_date=day)
        order.lines.update(first_promised_date=order.requested_date, promised_date=day)

        note_milestones(reached=[Reached(order.pk, "allocated")], now=make.NOW)

        expected = [("allocated", "")] + [("delayed", day.isoformat())] * is_late
        assert told() == expected

    def test_a_parcel_that_did_not_arrive_says_why(self, deliver_all) -> None:
        order = self.order()
        make.floor(order, ships=True)
        shipment = Shipment.objects.get()
        fact = ShipmentFailed(
            shipment_id=shipment.pk, number=shipment.number, entity_id=order.entity_id,
            source_id=order.pk, reason="Nobody there",
        )  # fmt: skip

        handlers.tell_of_failure(fact)

        notice = MilestoneNotice.objects.get(kind="delayed")
        assert (notice.subject, notice.reason) == (shipment.number, "Nobody there")

    def test_a_shipment_of_something_else_concerns_nobody(self) -> None:
        order = self.order()
        make.floor(order, ships=True)
        Shipment.objects.update(source_kind="inventory.transfer")
        shipment = Shipment.objects.get()
        fact = ShipmentShipped(
            shipment_id=shipment.pk, number=shipment.number, entity_id=order.entity_id,
            source_id=order.pk,
        )  # fmt: skip

        handlers.tell_of_leaving([fact])

        assert told() == []


class TestMail:
    def test_what_fails_is_sent_by_the_next_try_and_then_no_more(
        self, monkeypatch, settings
    ) -> None:
        account = make.account()
        follow(account, kinds=["released"])
        order = make.submitted(account, make.line(make.priced("10"), 1))
        note_milestones(reached=[Reached(order.pk, "released")], now=timezone.now())
        mailing = Delivery.objects.filter(handler__endswith="mail_milestone")
        settings.EMAIL_BACKEND = "django.core.mail.backends.nothing.Backend"

        delivery.drain(timezone.now, seconds=60)
        first = mailing.get()
        assert (first.status, first.attempts) == (Delivery.Status.PENDING, 1)
        assert first.last_error
        assert MilestoneNotice.objects.get().state == "due"

        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        later = timezone.now() + timedelta(days=1)
        delivery.drain(lambda: later, seconds=60)

        assert [letter.subject for letter in mail.outbox] == [f"Order {order.number}: released"]
        assert MilestoneNotice.objects.get().state == "told"
        mailing.update(status=Delivery.Status.PENDING)
        delivery.drain(lambda: later, seconds=60)
        assert len(mail.outbox) == 1

    def test_the_letter_leads_to_the_customer_s_page(
        self, client: Client, settings, deliver_all
    ) -> None:
        settings.PUBLIC_URL = "https://erp.example.com"
        account = make.account()
        follow(account)
        make.submitted(account, make.line(make.priced("10"), 1), customer_po="PO-5")
        deliver_all()

        body = mail.outbox[0].body
        path = body.partition("https://erp.example.com")[2].split()[0]
        assert "PO-5" in body
        assert client.get(path).status_code == 200


class TestDoors:
    @pytest.fixture
    def desk(self, clerk: User) -> User:
        for permission in (permissions.VIEW, permissions.VIEW_CUSTOMER, permissions.FOLLOW):
            grant(clerk, permission, make.company())
        return clerk

    def test_on_the_order_page(self, desk, client: Client) -> None:
        order = make.submitted(make.account(), make.line(make.priced("10"), 1))
        client.force_login(desk)
        page = reverse("orders:page", args=[order.number])

        client.post(reverse("orders:follow", args=[order.number]), {"address": "a@example.com"})
        found = MilestoneSubscription.objects.get()
        assert (found.order_id, found.address) == (order.pk, "a@example.com")
        note_milestones(reached=[Reached(order.pk, "released")], now=make.NOW)
        shown = client.get(page).content.decode()
        assert "a@example.com" in shown
        assert "Message to the customer" in shown

        client.post(reverse("orders:unfollow", args=[order.number, found.pk]))
        assert not MilestoneSubscription.objects.get().is_active
        other = reverse("orders:unfollow", args=[order.number, found.pk + 1])
        assert client.post(other).status_code == 404

    def test_over_rest(self, desk, api: APIClient) -> None:
        account = make.account(make.customer("ACME"))
        order = make.submitted(account, make.line(make.priced("10"), 1))
        wish = {"entity": "US01", "customer": "ACME", "channel": "email", "address": "a@b.example"}

        made = api.post("/api/v1/milestone-subscriptions/", wish | {"order": order.number})
        assert made.status_code == 201
        assert (made.json()["order"], made.json()["is_active"]) == (order.number, True)
        stopped = api.post(f"/api/v1/milestone-subscriptions/{made.json()['id']}/stop/", {})
        assert stopped.json()["is_active"] is False
        assert api.post("/api/v1/milestone-subscriptions/999/stop/", {}).status_code == 404
        for change, field in (({"order": "SO-0"}, "order"), ({"customer": "NOPE"}, "customer")):
            refused = api.post("/api/v1/milestone-subscriptions/", wish | change)
            assert refused.json()["errors"][0]["field"] == field
        link = api.get(f"/api/v1/orders/{order.number}/tracking/").json()
        assert "/orders/track/" in link["url"]
