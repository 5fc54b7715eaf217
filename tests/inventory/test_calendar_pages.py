"""inventory/views/_calendars.py"""

import pytest
from django.test import Client

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Calendar, CalendarDay
from orders.models import Customer
from tests.conftest import grant
from tests.inventory.factories import node
from tests.orders.factories import account, customer

pytestmark = pytest.mark.django_db
URL = "/inventory/calendars/"
TYPED = {
    "code": "US", "name": "Office days", "country": "us", "weekdays": ["0", "1", "2", "3", "4"],
    "cutoff": "14:30", "days": "2026-12-24 Christmas Eve\n\n+2026-12-19 Stocktaking\n",
}  # fmt: skip


@pytest.fixture
def pages(clerk: User, entity: Entity, client: Client) -> Client:
    for permission in (permissions.VIEW_NODE, permissions.CHANGE_NODE):
        grant(clerk, permission, entity)
    client.force_login(clerk)
    return client


def test_a_calendar_is_written_shown_and_changed(pages: Client) -> None:
    made = pages.post(f"{URL}new/", TYPED)
    assert made["Location"] == f"{URL}US/"
    shown = pages.get(f"{URL}US/").text
    assert "Christmas Eve" in shown
    form = pages.get(f"{URL}US/edit/").text
    assert "+2026-12-19 Stocktaking" in form

    pages.post(f"{URL}US/edit/", TYPED | {"code": "OTHER", "weekdays": ["0"], "days": ""})

    kept = Calendar.objects.get()
    assert (kept.code, kept.weekdays, kept.country) == ("US", "1000000", "US")
    assert not CalendarDay.objects.exists()
    assert "US" in pages.get(URL).text


@pytest.mark.parametrize(
    "change", [{"weekdays": []}, {"days": "tomorrow"}, {"country": "x"}, {"cutoff": "noon"}]
)
def test_what_cannot_be_kept_is_said_and_nothing_is(pages: Client, change: dict) -> None:
    assert pages.post(f"{URL}new/", TYPED | change).status_code == 422
    assert not Calendar.objects.exists()


def test_a_code_that_is_taken_is_refused(pages: Client) -> None:
    Calendar.objects.create(code="US", name="First")
    assert pages.post(f"{URL}new/", TYPED).status_code == 422
    assert Calendar.objects.get().name == "First"


def test_others_follow_it_and_leave(pages: Client) -> None:
    Calendar.objects.create(code="US", name="Office")
    account(customer("ACME"))
    node("A")

    pages.post(f"{URL}US/follow/", {"kind": "customers", "codes": "ACME"})
    pages.post(f"{URL}US/follow/", {"kind": "nodes", "codes": "A"})
    unknown = pages.post(f"{URL}US/follow/", {"kind": "nodes", "codes": "NONE"})
    text = pages.get(f"{URL}US/").text
    pages.post(f"{URL}US/leave/", {"kind": "nodes", "codes": "A"})

    assert unknown.status_code == 422
    assert "/orders/customers/ACME/" in text
    assert Customer.objects.get(code="ACME").calendar_id is not None
    assert node("A").calendar is None


def test_what_is_not_there_is_a_404_and_changing_takes_a_right(
    clerk: User, entity: Entity, client: Client
) -> None:
    grant(clerk, permissions.VIEW_NODE, entity)
    client.force_login(clerk)
    Calendar.objects.create(code="US", name="Office")

    assert client.get(f"{URL}NONE/").status_code == 404
    assert client.get(f"{URL}US/").status_code == 200
    assert client.get(f"{URL}US/edit/").status_code == 403
    assert client.post(f"{URL}US/follow/", {}).status_code == 403
