"""No door lets an order's author, or who raised its customer's limit, lift its holds."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.governance.models import AuditEntry
from erp.governance.services import DutyConflict, delegate
from erp.kernel.errors import DomainError
from erp.partners.models import ImportJob
from erp.partners.selectors import read_import
from erp.partners.services import (
    Plan,
    advance_import,
    check_import,
    receive_files,
    start_import,
)
from exceptions.rules.plays import Play
from exceptions.services._freeing import release as release_by_play
from orders.models import CreditAccount, Hold, Order
from orders.services import (
    AccountRow,
    lift_hold,
    lift_holds,
    lift_holds_bulk,
    upsert_accounts,
)
from orders.services.claiming import claim_holds
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
DAYS = timedelta(days=30)
Door = Callable[[Hold, User], None]


def by_page(hold: Hold, who: User) -> None:
    client = Client()
    client.force_login(who)
    where = reverse("orders:lift", args=[hold.order.number, hold.pk])
    assert client.post(where, {"reason": "x"}).status_code == 409


def by_rest(hold: Hold, who: User) -> None:
    api = APIClient()
    api.force_authenticate(who)
    base = f"/api/v1/orders/{hold.order.number}"
    for path in (f"/holds/{hold.pk}/release/", "/release/"):
        assert api.post(base + path, {"reason": "x"}, format="json").status_code == 409


def by_bulk(hold: Hold, who: User) -> None:
    now = timezone.now()
    (answer,) = lift_holds_bulk(order_ids=[hold.order_id], actor=who, reason="x", now=now)
    assert isinstance(answer.refusal, DomainError)


def by_service(hold: Hold, who: User) -> None:
    for lift in (
        lambda: lift_hold(hold_id=hold.pk, actor=who, reason="x", now=timezone.now()),
        lambda: lift_holds(order_id=hold.order_id, actor=who, reason="x", now=timezone.now()),
    ):
        with pytest.raises(DomainError):
            lift()


def by_play(hold: Hold, who: User) -> None:
    play = Play(
        key="release", title="Release", detail="", cost=Decimal(0), currency="USD",
        permission="orders.release_order", gate="credit", facts={"hold_id": hold.pk},
    )  # fmt: skip
    with pytest.raises(DomainError):
        release_by_play(play, who, timezone.now())


def by_admin(hold: Hold, who: User) -> None:
    client = Client()
    client.force_login(who)
    client.post(f"/admin/orders/hold/{hold.pk}/change/", {"state": "lifted"})


def by_bulk_pages(hold: Hold, who: User) -> None:
    client = Client()
    client.force_login(who)
    for name in ("lift_many", "lift_queued"):
        client.post(reverse(f"orders:{name}"), {"id": hold.order_id, "reason": "x"})


def by_bulk_rest(hold: Hold, who: User) -> None:
    api = APIClient()
    api.force_authenticate(who)
    item = {"order": hold.order.number, "reason": "x"}
    api.post("/api/v1/orders/bulk/release/", [item], format="json")
    api.post("/api/v1/orders/bulk/reevaluate/", [{"order": hold.order.number}], format="json")


def by_claiming(hold: Hold, who: User) -> None:
    with pytest.raises(DomainError):
        claim_holds(order_ids=[hold.order_id], actor=who, now=timezone.now())
    Hold.objects.filter(pk=hold.pk).update(assigned_to=who, assigned_at=timezone.now())
    with pytest.raises(DomainError):
        lift_hold(hold_id=hold.pk, actor=who, reason="x", now=timezone.now())


def by_import(hold: Hold, who: User) -> None:
    """Raise the customer's limit by a file, so that the hold would clear by itself."""
    job = import_limit(hold, who, "500")
    assert (job.state, CreditAccount.objects.get().credit_limit < 500) == ("failed", True)


def import_limit(hold: Hold, who: User, limit: str) -> ImportJob:
    customer, now = hold.order.customer, make.NOW + timedelta(hours=1)
    content = f"code,name,credit_limit\n{customer.code},{customer.name},{limit}\n".encode()
    entity = hold.order.entity
    files = {"customers.csv": content}
    job = receive_files(entity=entity, files=files, kind="customers", actor=who, now=now)
    job = check_import(job_id=job.pk, now=now)
    start_import(job_id=job.pk, actor=who, now=now)
    plan = Plan(read_import(job=job))
    while advance_import(job_id=job.pk, plan=plan, now=now):
        pass
    return ImportJob.objects.get()


DOORS = [
    by_page, by_rest, by_bulk, by_service, by_play, by_admin, by_bulk_pages, by_bulk_rest,
    by_claiming,
]  # fmt: skip


def held(actor: User | None = None) -> Hold:
    order = make.submitted(make.account(limit="10"), make.line(make.priced("11")), actor=actor)
    return Hold.objects.get(order=order)


def raise_limit(account: CreditAccount, who: User, ago: timedelta = timedelta(0)) -> None:
    row = AccountRow(
        entity_id=account.entity_id, customer_id=account.customer_id, currency="USD",
        credit_limit=account.credit_limit + Decimal("0.5"),
    )  # fmt: skip
    upsert_accounts(rows=[row], actor=who, now=timezone.now() - ago)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
class TestEveryDoor:
    def test_is_shut_to_an_author_who_stands_in_for_the_owner(self, door: Door) -> None:
        author = make.person("mira", Role.CUSTOMER_SERVICE, employee_ref="E-7")
        owner, hold = make.person("karl", Role.CREDIT), held(actor=author)
        now = timezone.now()
        delegate(
            delegator=owner, delegate=author, entity_id=hold.order.entity_id, starts_at=now,
            ends_at=now + DAYS, actor=owner, now=now,
        )  # fmt: skip

        with suppress(AssertionError):  # a door may also say that they lack the permission
            door(hold, author)

        assert Hold.objects.get().state == "active"
        assert Order.objects.get().state == "held"

    @pytest.mark.parametrize("who", ["author", "second account", "superuser"])
    def test_is_shut_to_the_author(self, door: Door, who: str) -> None:
        one = make.person("mira", Role.CREDIT, employee_ref="E-7", is_superuser=who == "superuser")
        twin = make.person("mira2", Role.CREDIT, employee_ref="E-7")
        hold = held(actor=one)

        door(hold, twin if who == "second account" else one)

        assert Hold.objects.get().state == "active"
        assert Order.objects.get().state == "held"

    @pytest.mark.parametrize("who", ["self", "second account", "superuser"])
    def test_is_shut_to_who_raised_the_limit(self, door: Door, who: str) -> None:
        one = make.person("mira", Role.CREDIT, employee_ref="E-7", is_superuser=who == "superuser")
        twin = make.person("mira2", Role.CREDIT, employee_ref="E-7")
        hold = held()
        raise_limit(hold.order.account, one, DAYS - timedelta(hours=1))

        door(hold, twin if who == "second account" else one)

        assert Hold.objects.get().state == "active"
        assert Order.objects.get().state == "held"


@pytest.mark.parametrize("door", [by_bulk_pages, by_bulk_rest], ids=lambda door: door.__name__)
def test_a_door_for_many_opens_to_a_colleague(door: Door) -> None:
    hold = held(actor=make.person("mira", Role.CUSTOMER_SERVICE))

    door(hold, make.person("karl", Role.CREDIT))

    assert Hold.objects.get().state == "lifted"
    assert Order.objects.get().state == "released"


class TestTheImporter:
    """Its hold would clear by itself once a file raises the limit: who sent it answers for it."""

    @pytest.mark.parametrize("who", ["author", "second account", "superuser"])
    def test_is_shut_to_the_author(self, who: str) -> None:
        one = make.person("mira", Role.CREDIT, employee_ref="E-7", is_superuser=who == "superuser")
        twin = make.person("mira2", Role.CREDIT, employee_ref="E-7")
        hold = held(actor=one)

        by_import(hold, twin if who == "second account" else one)

        assert Hold.objects.get().state == "active"
        assert Order.objects.get().state == "held"

    def test_opens_to_a_colleague_and_names_them(self) -> None:
        hold = held(actor=make.person("mira", Role.CUSTOMER_SERVICE))
        karl = make.person("karl", Role.CREDIT)

        job = import_limit(hold, karl, "500")

        assert (job.state, CreditAccount.objects.get().credit_limit) == ("done", 500)
        assert Order.objects.get().state == "released"
        entry = AuditEntry.objects.get(action="orders.raise_limit")
        assert entry.actor_id == karl.pk


class TestTheLimit:
    @pytest.mark.parametrize(("later", "is_refused"), [(0, True), (1, False)])
    def test_is_thirty_days_to_the_second(self, *, later: int, is_refused: bool) -> None:
        mira, hold = make.person("mira", Role.CREDIT), held()
        account = hold.order.account
        row = AccountRow(
            entity_id=account.entity_id, customer_id=account.customer_id, currency="USD",
            credit_limit=Decimal("10.5"),
        )  # fmt: skip
        upsert_accounts(rows=[row], actor=mira, now=make.NOW)
        at = make.NOW + DAYS + timedelta(seconds=later)

        with suppress(DutyConflict):
            lift_hold(hold_id=hold.pk, actor=mira, reason="x", now=at)

        assert Hold.objects.get().state == ("active" if is_refused else "lifted")

    def test_is_not_raised_by_who_wrote_a_waiting_order(self) -> None:
        mira = make.person("mira", Role.CREDIT)
        hold = held(actor=mira)

        with pytest.raises(DutyConflict, match="wrote an order of this customer that waits"):
            raise_limit(hold.order.account, mira, timezone.now() - make.NOW)

        assert CreditAccount.objects.get().credit_limit == 10

    def test_says_who_and_when(self) -> None:
        mira, hold = make.person("mira", Role.CREDIT), held()
        raise_limit(hold.order.account, mira)

        with pytest.raises(DutyConflict, match=r"^You raised this customer's credit limit on \d+ "):
            lift_hold(hold_id=hold.pk, actor=mira, reason="x", now=timezone.now())

    def test_lets_a_colleague_lift(self) -> None:
        mira, karl = make.person("mira", Role.CREDIT), make.person("karl", Role.CREDIT)
        hold = held()
        raise_limit(hold.order.account, mira)

        lift_hold(hold_id=hold.pk, actor=karl, reason="x", now=timezone.now())

        assert Order.objects.get().state == "released"
