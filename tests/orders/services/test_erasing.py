"""orders/services/_erasing.py and erp/governance/services/_erasing.py: personal data erased."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.governance.models import Approval, AuditEntry, PersonalDatum
from erp.governance.selectors import timeline, verify_audit
from erp.governance.services import (
    NobodyToErase,
    OwnRequest,
    approve,
    ask_erasure,
    erase_person,
    seal_audit,
)
from orders.models import Customer, Order
from orders.services import CustomerRow, cancel_order, upsert_customers
from tests.orders import factories as make

pytestmark = pytest.mark.django_db

JANE = {"contact": "Jane Doe", "email": "jane@example.com", "phone": "555-7", "address": "1 Elm St"}
SHIP_TO = {"name": "Jane Doe", "address": "1 Elm St", "city": "Dayton", "country": "US"}


def jane(clerk: User) -> Customer:
    for contact in ("Old Name", "Jane Doe"):
        row = CustomerRow(code="C-1", name="Elm Ltd", **JANE | {"contact": contact})
        upsert_customers(rows=[row], actor=clerk, now=make.NOW)
    return Customer.objects.get(code="C-1")


def ask(clerk: User) -> Approval:
    return ask_erasure(
        kind="orders.customer", code="C-1", entity_id=make.company().pk, reason="She asked",
        actor=clerk, now=make.NOW,
    )  # fmt: skip


def agree(asked: Approval) -> None:
    boss = make.person("boss", Role.CONTROLLER)
    approve(approval_id=asked.pk, actor=boss, fingerprint=asked.fingerprint, now=make.NOW)


class TestErasure:
    def test_empties_her_everywhere_and_keeps_the_chain_whole(
        self, clerk: User, deliver_all: Callable[[], int]
    ) -> None:
        customer = jane(clerk)
        over = make.created(make.account(customer), make.line(make.priced()), ship_to=SHIP_TO)
        cancel_order(order_id=over.pk, reason="x", actor=clerk, now=make.NOW)
        on_its_way = make.created(
            customer.accounts.get(), make.line(make.priced()), ship_to=SHIP_TO
        )
        seal_audit(now=make.NOW)
        asked = ask(clerk)
        deliver_all()
        assert Customer.objects.get().email == "jane@example.com"  # nobody has agreed

        agree(asked)
        deliver_all()

        customer = Customer.objects.get()
        assert [getattr(customer, name) for name in JANE] == ["", "", "", ""]
        assert customer.name == "Elm Ltd"
        assert Order.objects.get(pk=over.pk).ship_to["city"] == "Dayton"
        assert Order.objects.get(pk=over.pk).ship_to["name"] == ""
        assert Order.objects.get(pk=on_its_way.pk).ship_to == on_its_way.ship_to
        story = timeline(thread=f"orders.customer:{customer.pk}", entity_ids=[make.company().pk])
        assert "Jane" not in str(story)
        assert "Old Name" not in str(story)
        change = next(row for row in story if row.action == "orders.change_customer")
        assert change.before is not None
        assert change.before["contact"] == "(erased)"
        assert change.before["name"] == "Elm Ltd"
        assert not PersonalDatum.objects.exclude(value="", salt="").exists()
        assert AuditEntry.objects.get(action="governance.erase_person").after["orders"] == 1
        seal_audit(now=make.NOW)
        assert verify_audit().is_whole

    def test_shows_her_until_then_and_seals_no_name(self, clerk: User) -> None:
        customer = jane(clerk)

        story = timeline(thread=f"orders.customer:{customer.pk}", entity_ids=[])

        assert story[0].before is not None
        assert story[0].after is not None
        assert (story[0].before["contact"], story[0].after["contact"]) == ("Old Name", "Jane Doe")
        assert "Jane" not in str(list(AuditEntry.objects.values_list("before", "after")))

    def test_needs_a_second_person(self, clerk: User) -> None:
        jane(clerk)
        asked = ask(clerk)

        chief = make.person("chief", Role.CONTROLLER, employee_ref="E")
        assert ask(clerk).pk == asked.pk
        clerk.is_superuser = True
        clerk.save()
        with pytest.raises(OwnRequest):
            approve(approval_id=asked.pk, actor=clerk, fingerprint=asked.fingerprint, now=make.NOW)
        with pytest.raises(Approval.DoesNotExist):
            erase_person(approval_id=asked.pk, now=make.NOW)
        assert chief.pk
        assert Customer.objects.get().email == "jane@example.com"

    def test_is_done_once(self, clerk: User, deliver_all: Callable[[], int]) -> None:
        jane(clerk)
        asked = ask(clerk)
        agree(asked)
        deliver_all()

        assert not any(erase_person(approval_id=asked.pk, now=make.NOW).values())
        assert AuditEntry.objects.filter(action="governance.erase_person").count() == 1

    def test_refuses_whom_nobody_knows(self, clerk: User) -> None:
        with pytest.raises(NobodyToErase):
            ask(clerk)

    def test_is_asked_over_rest_by_stewards(self, clerk: User, api: APIClient) -> None:
        jane(clerk)
        body = {"kind": "orders.customer", "code": "C-1", "entity": "US01", "reason": "She asked"}
        steward = make.person("steward", Role.STEWARD)

        assert api.post("/api/v1/erasures/", body, format="json").status_code == 403
        api.force_authenticate(steward)
        assert api.post("/api/v1/erasures/", body, format="json").status_code == 201
