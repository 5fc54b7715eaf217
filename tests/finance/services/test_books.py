"""Tests finance/services/_books.py."""

from datetime import datetime
from itertools import pairwise

import pytest
from django.db import transaction
from django_fsm import TransitionNotAllowed

from erp.accounts.models import User
from erp.governance.models import AuditEntry
from finance.models import Account, Period
from finance.services import (
    PeriodHasBlockers,
    UnknownPeriod,
    close_period,
    invoice_shipments,
    open_all_books,
    open_books,
    reopen_period,
    soft_close_period,
)
from finance.tasks import open_months
from tests.finance.factories import NOW, World, product, shipped


@pytest.fixture
def controller(db: None) -> User:
    return User.objects.create_user("controller")


class TestOpenBooks:
    def test_adds_nothing_when_repeated(self, world: World) -> None:
        before = (Account.objects.count(), Period.objects.count())

        open_books(entity_id=world.entity.pk, now=NOW)

        assert (Account.objects.count(), Period.objects.count()) == before
        assert before == (len(Account.Purpose), 16)

    def test_covers_every_purpose_and_the_months_around(self, world: World) -> None:
        purposes = set(Account.objects.values_list("purpose", flat=True))
        months = list(Period.objects.order_by("starts").values_list("starts", "ends"))

        assert purposes == set(Account.Purpose.values)
        assert all(one[1] == next_[0] for one, next_ in pairwise(months))
        assert f"{months[0][0]:%Y-%m} {months[15][0]:%Y-%m}" == "2025-11 2027-02"

    def test_opens_what_is_new_for_all(self, world: World) -> None:
        open_all_books(now=datetime(2027, 1, 1, tzinfo=NOW.tzinfo))
        open_months()

        assert Period.objects.filter(starts="2027-04-01").exists()


class TestClosing:
    def test_goes_there_and_back_and_says_who(self, world: World, controller: User) -> None:
        month = Period.objects.get(starts="2026-10-01")

        soft_close_period(period_id=month.pk, actor=controller, now=NOW)
        closed = close_period(period_id=month.pk, actor=controller, now=NOW)
        reopened = reopen_period(period_id=month.pk, actor=controller, now=NOW)

        assert (closed.state, closed.closed_at) == ("closed", NOW)
        assert (reopened.state, reopened.closed_at) == ("open", None)
        said = AuditEntry.objects.filter(subject_kind="finance.period").values_list(
            "action", flat=True
        )
        assert list(said.order_by("id")) == [
            "finance.soft_close_period", "finance.close_period", "finance.reopen_period",
        ]  # fmt: skip

    def test_refuses_while_something_that_left_is_not_invoiced(
        self, world: World, controller: User
    ) -> None:
        _, shipments = shipped(world, (product(world), "4", "9.99"))
        month = Period.objects.get(starts="2026-11-01")

        with pytest.raises(PeriodHasBlockers, match=r"1 shipments of November 2026 worth 39\.96"):
            close_period(period_id=month.pk, actor=controller, now=NOW)
        assert Period.objects.get(pk=month.pk).state == "open"
        invoice_shipments(shipment_ids=shipments, now=NOW)
        close_period(period_id=month.pk, actor=controller, now=NOW)

        assert Period.objects.get(pk=month.pk).state == "closed"

    def test_refuses_out_of_turn(self, world: World, controller: User) -> None:
        month = Period.objects.get(starts="2026-10-01")

        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            reopen_period(period_id=month.pk, actor=controller, now=NOW)
        with pytest.raises(UnknownPeriod), transaction.atomic():
            close_period(period_id=0, actor=controller, now=NOW)

        assert Period.objects.get(pk=month.pk).state == "open"
