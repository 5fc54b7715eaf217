"""erp/insight/selectors/_figures.py and the definitions that it sums"""

from datetime import timedelta
from decimal import Decimal

import pytest

from erp.insight.selectors import KPIS, Period, breakdown, figure, kpi_rows, series
from finance.services import ship_shipments
from inventory.models import ShipmentLine
from inventory.services import Pack as Box
from inventory.services import Pick, ShortPick, deliver_shipments, pack_shipments
from orders.models import Order, OrderLine
from orders.services import pick_shipments
from tests.finance import factories
from tests.finance.factories import NOW, World

pytestmark = pytest.mark.django_db
WEEK = Period.last(7, now=NOW + timedelta(days=1))
LATER = NOW + timedelta(days=20)


def shipped(where: World, quantity: str = "10", missing: str = "0") -> Order:
    """Ship an order of one line, of which so many are missing at the shelf."""
    order = factories.allocated(where, (factories.product(where), quantity, "5"))
    (shipment,) = factories.shipments_of(order)
    line = OrderLine.objects.get(order=order)
    (planned,) = ShipmentLine.objects.filter(shipment=shipment)
    found = line.quantity - Decimal(missing)
    shorts = [ShortPick(line_id=planned.pk, picked=found, reason="not_found")]
    pick = Pick(shipment_id=shipment, shorts=shorts if Decimal(missing) else ())
    pick_shipments(picks=[pick], actor=None, now=NOW)
    pack_shipments(packs=[Box(shipment_id=shipment)], actor=None, now=NOW)
    ship_shipments(shipment_ids=[shipment], actor=None, now=NOW)
    return order


@pytest.mark.parametrize("code", list(KPIS))
class TestEveryKpi:
    def test_is_nothing_in_an_empty_company(self, code: str, where: World) -> None:
        found = figure(code, entity_ids=[where.entity.pk], period=WEEK)

        assert (found.rows, found.numerator, found.denominator) == (0, 0, 0)
        assert kpi_rows(code, entity_ids=[where.entity.pk], period=WEEK).rows == []
        days = series(code, entity_ids=[where.entity.pk], period=WEEK)
        assert len(days) == (7 if KPIS[code].is_daily else 0)

    def test_counts_exactly_the_rows_that_it_shows(self, code: str, where: World) -> None:
        for missing in ("0", "0", "4"):
            shipped(where, missing=missing)
        factories.allocated(where, (factories.product(where, on_hand="3"), "9", "7"))
        period = Period.last(60, now=LATER)
        scope = [where.entity.pk]

        found = figure(code, entity_ids=scope, period=period)
        rows = kpi_rows(code, entity_ids=scope, period=period).rows
        parts = breakdown(code, entity_ids=scope, period=period)
        days = series(code, entity_ids=scope, period=period)

        assert found.rows == len(rows) == sum(part.rows for part in parts.values())
        assert found.numerator == sum(row.hits for row in rows)
        assert found.denominator == sum(row.parts for row in rows)
        if days:
            assert sum(day.rows for day in days) == found.rows
            assert sum(day.numerator for day in days) == found.numerator
        for name, part in parts.items():
            only = kpi_rows(code, entity_ids=scope, period=period, bucket=name).rows
            assert len(only) == part.rows

    def test_says_nothing_of_other_entities(self, code: str, where: World) -> None:
        shipped(where)
        other = factories.world("DE01", "EUR")

        assert figure(code, entity_ids=[other.entity.pk], period=WEEK).rows == 0
        assert figure(code, entity_ids=[], period=WEEK).rows == 0


class TestLineFill:
    def test_counts_lines_filled_by_their_first_shipment(self, where: World) -> None:
        shipped(where)
        shipped(where)
        shipped(where, missing="4")
        factories.allocated(where, (factories.product(where, on_hand="3"), "9", "7"))

        found = figure("line_fill_rate", entity_ids=[where.entity.pk], period=WEEK)

        assert (found.numerator, found.denominator) == (2, 4)
        assert found.value == Decimal("0.5")
        parts = breakdown("line_fill_rate", entity_ids=[where.entity.pk], period=WEEK)
        assert {name: part.rows for name, part in parts.items()} == {
            "filled": 2, "short": 1, "not shipped": 1,
        }  # fmt: skip

    def test_is_not_mended_by_a_second_shipment(self, where: World) -> None:
        order = shipped(where, missing="4")
        for shipment in factories.pack(factories.shipments_of(order)):
            ship_shipments(shipment_ids=[shipment], actor=None, now=NOW + timedelta(days=1))

        found = figure("line_fill_rate", entity_ids=[where.entity.pk], period=WEEK)

        assert (found.numerator, found.denominator) == (0, 1)


class TestOtif:
    def test_asks_whether_all_of_it_was_there_by_the_first_promise(self, where: World) -> None:
        good, bad = shipped(where), shipped(where)
        promised = OrderLine.objects.get(order=good).first_promised_date
        assert promised is not None
        on_time = factories.shipments_of(good, "shipped")
        late = factories.shipments_of(bad, "shipped")
        deliver_shipments(shipment_ids=on_time, actor=None, now=NOW + timedelta(days=1))
        days = (promised - NOW.date()).days
        deliver_shipments(shipment_ids=late, actor=None, now=NOW + timedelta(days=days + 2))

        found = figure("otif", entity_ids=[where.entity.pk], period=Period.last(60, now=LATER))

        assert (found.numerator, found.denominator) == (1, 2)
        misses = kpi_rows(
            "otif", entity_ids=[where.entity.pk], period=Period.last(60, now=LATER), hit=False
        )
        assert [row.ref for row in misses.rows] == [bad.number]

    def test_leaves_out_what_is_not_due_yet(self, where: World) -> None:
        shipped(where)

        today = Period.last(7, now=NOW)

        for code in ("otif", "line_fill_rate"):
            assert figure(code, entity_ids=[where.entity.pk], period=today).denominator == 0


class TestBacklog:
    def test_ages_what_has_not_left(self, where: World) -> None:
        factories.allocated(where, (factories.product(where), "4", "25"))
        scope = [where.entity.pk]

        now = figure("backlog_past_promise", entity_ids=scope, period=WEEK)
        later = figure("backlog_past_promise", entity_ids=scope, period=Period.last(7, now=LATER))

        assert (now.numerator, now.denominator) == (0, 100)
        assert (later.numerator, later.by_currency) == (100, {"USD": 100})
        parts = breakdown(
            "backlog_past_promise", entity_ids=scope, period=Period.last(7, now=LATER)
        )
        assert [name for name, part in parts.items() if part.rows] == ["15-30 days"]


class TestMoney:
    def test_never_adds_two_currencies(self, where: World) -> None:
        other = factories.world("DE01", "EUR")
        factories.allocated(where, (factories.product(where), "4", "25"))
        factories.allocated(other, (factories.product(other), "3", "10"))
        scope = [where.entity.pk, other.entity.pk]

        found = figure("orders_by_stage", entity_ids=scope, period=WEEK)

        assert found.by_currency == {"EUR": 30, "USD": 100}
        assert found.money == [("EUR", 30), ("USD", 100)]


class TestKpiRows:
    def test_goes_on_where_a_page_ended(self, where: World) -> None:
        numbers = [
            factories.allocated(where, (factories.product(where), "1", "5")).number
            for _ in range(5)
        ]
        seen: list[str] = []
        after = ""
        for _ in range(3):
            page = kpi_rows(
                "orders_by_stage", entity_ids=[where.entity.pk], period=WEEK, after=after, limit=2
            )
            seen += [row.ref for row in page.rows]
            after = page.next

        assert seen == list(reversed(numbers))
        assert after == ""
