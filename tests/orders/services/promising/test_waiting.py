"""inventory/services/promising/_waiting.py, as allocation uses it"""

from datetime import date, timedelta

import pytest

from erp.accounts.models import User
from erp.governance.services import activate_version, write_version
from inventory.models import Product
from inventory.services.promising import PromiseTerms, promise_terms
from orders.services import cancel_order
from orders.services.reserving import reserve_due
from procurement.models import Supplier, SupplierProduct
from tests.orders.factories import (
    NOW,
    account,
    allocated,
    company,
    customer,
    line,
    lines_of,
    priced,
    stocked,
)

pytestmark = pytest.mark.django_db
TOMORROW = date(2026, 11, 24)


def offered(of: Product, days: int = 14) -> None:
    SupplierProduct.objects.create(
        supplier=Supplier.objects.get_or_create(code="S", defaults={"name": "Mill"})[0],
        entity=company(), product=of, currency="USD", unit_price=2, lead_time_days=days,
    )  # fmt: skip


def terms() -> PromiseTerms:
    return promise_terms(entity_id=company().pk, now=NOW)


@pytest.fixture
def latest_safe() -> None:
    """Let far-off demand of the company wait for replenishment, with three days of slack."""
    author, boss = User.objects.create_user("author"), User.objects.create_user("boss")
    then = {
        "horizon_days": 180, "late_p50_days": 0, "late_p90_days": 3, "latest_safe": True,
        "slack_days": 3,
    }  # fmt: skip
    version = write_version(
        policy="inventory.promising",
        entity_id=company().pk,
        table={"rows": [{"when": [], "then": then}]},
        author=author,
        now=NOW,
    )
    activate_version(version_id=version.pk, actor=boss, now=NOW)


class TestLatestSafe:
    # Fourteen days of lead, three of slack, two on the way: from the 12th of December on, what is
    # wanted later than nineteen days from the 23rd of November can be left to replenishment.
    LAST_RESERVED, FIRST_LEFT = date(2026, 12, 12), date(2026, 12, 13)

    def test_without_the_policy_stock_is_kept_however_far_off(self) -> None:
        pen = priced()
        stocked(pen, 20)
        offered(pen)
        assert not terms().latest_safe
        order = allocated(account(), line(pen, 20), requested_date=date(2027, 3, 1))

        assert lines_of(order)[0].reserved == 20

    @pytest.mark.usefixtures("latest_safe")
    def test_stock_stays_for_the_near_while_replenishment_covers_the_far(self) -> None:
        pen = priced()
        stocked(pen, 20)
        offered(pen)
        far = allocated(account(), line(pen, 20), requested_date=self.FIRST_LEFT)
        near = allocated(account(), line(pen, 15), requested_date=self.LAST_RESERVED)

        assert lines_of(far)[0].reserved == 0
        assert far.state == "backordered"
        assert lines_of(near)[0].reserved == 15

    @pytest.mark.usefixtures("latest_safe")
    def test_what_nobody_offers_is_kept_at_once(self) -> None:
        pen = priced()
        stocked(pen, 20)
        order = allocated(account(), line(pen, 20), requested_date=date(2027, 3, 1))

        assert lines_of(order)[0].reserved == 20

    @pytest.mark.usefixtures("latest_safe")
    def test_what_leaves_together_waits_together(self) -> None:
        pen, ink = priced(), priced()
        stocked(pen, 20)
        stocked(ink, 20)
        offered(pen)
        wanted = date(2027, 3, 1)
        order = allocated(
            account(), line(pen, 5), line(ink, 5), requested_date=wanted, ship_complete=True
        )

        assert [each.reserved for each in lines_of(order)] == [5, 5]


class TestReserveDue:
    """Left on the 23rd of November for the 13th of December: due the next day, not a day sooner."""

    FIRST_LEFT = date(2026, 12, 13)

    @pytest.mark.usefixtures("latest_safe")
    def test_reserves_once_the_day_has_come_and_not_before(self) -> None:
        pen = priced()
        stocked(pen, 20)
        offered(pen)
        order = allocated(account(), line(pen, 5), requested_date=self.FIRST_LEFT)
        (waiting,) = lines_of(order)
        assert (waiting.reserved, waiting.reserve_on) == (0, TOMORROW)

        assert reserve_due(now=NOW) == []
        assert lines_of(order)[0].reserved == 0

        assert reserve_due(now=NOW + timedelta(days=1)) == [order.pk]
        (served,) = lines_of(order)
        assert (served.reserved, served.reserve_on) == (5, None)
        assert type(order).objects.get(pk=order.pk).state == "allocated"

        assert reserve_due(now=NOW + timedelta(days=1)) == []

    @pytest.mark.usefixtures("latest_safe")
    def test_by_rank_and_what_gets_nothing_waits_like_any_other(self) -> None:
        pen = priced()
        stocked(pen, 5)
        offered(pen)
        plain = allocated(account(), line(pen, 5), requested_date=self.FIRST_LEFT)
        gold = allocated(account(customer(tier="A")), line(pen, 5), requested_date=self.FIRST_LEFT)

        reserve_due(now=NOW + timedelta(days=1))

        found = [lines_of(each)[0] for each in (gold, plain)]
        assert [each.reserved for each in found] == [5, 0]
        assert [each.reserve_on for each in found] == [None, None]

    @pytest.mark.usefixtures("latest_safe")
    def test_what_was_cancelled_meanwhile_is_looked_at_once(self) -> None:
        pen = priced()
        offered(pen)
        order = allocated(account(), line(pen, 5), requested_date=self.FIRST_LEFT)
        cancel_order(order_id=order.pk, actor=None, reason="Not wanted", now=NOW)

        assert reserve_due(now=NOW + timedelta(days=1)) == [order.pk]
        assert reserve_due(now=NOW + timedelta(days=1)) == []

    def test_nobody_waits_without_the_policy(self) -> None:
        pen = priced()
        offered(pen)
        allocated(account(), line(pen, 5), requested_date=self.FIRST_LEFT)

        assert reserve_due(now=NOW + timedelta(days=99)) == []
