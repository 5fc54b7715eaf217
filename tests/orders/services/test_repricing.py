"""orders/services/_repricing.py"""

import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.governance.models import AuditEntry
from orders.models import Price
from orders.services import BadPrice, PriceChanged, PriceRow, upsert_prices
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
WHO = {"actor": None, "now": make.NOW}
JUNE, JULY, AUGUST = date(2026, 6, 1), date(2026, 7, 1), date(2026, 8, 1)


def row(of: Any, price: str, starts: date, **values: Any) -> PriceRow:
    owner = make.company()
    return PriceRow(
        entity_id=owner.pk,
        product_id=of.pk,
        currency=owner.currency,
        unit_price=Decimal(price),
        valid_from=starts,
        **values,
    )


def timeline(of: Any) -> list[tuple[date, date | None, int]]:
    found = Price.objects.filter(product=of).order_by("min_quantity", "valid_from")
    return [(each.valid_from, each.valid_until, int(each.unit_price)) for each in found]


def seen(of: Any) -> str:
    now = Price.objects.filter(product=of).latest("valid_from")
    return f"{now.pk}.{now.revision}"


class TestUpsertPrices:
    def test_ends_the_old_price_with_the_new_one(self) -> None:
        part = make.product()
        upsert_prices(rows=[row(part, "5", JUNE)], **WHO)

        upsert_prices(rows=[row(part, "6", AUGUST)], **WHO)
        upsert_prices(rows=[row(part, "4", JULY)], **WHO)

        assert timeline(part) == [(JUNE, JULY, 5), (JULY, AUGUST, 4), (AUGUST, None, 6)]

    def test_goes_on_with_the_old_price_after_one_with_an_end(self) -> None:
        part = make.product()
        upsert_prices(rows=[row(part, "5", JUNE)], **WHO)

        upsert_prices(rows=[row(part, "4", JULY, valid_until=AUGUST)], **WHO)

        assert timeline(part) == [(JUNE, JULY, 5), (JULY, AUGUST, 4), (AUGUST, None, 5)]

    def test_leaves_other_series_alone(self) -> None:
        part, buyers = make.product(), make.group("RETAIL")
        others = [
            row(part, "1", JUNE),
            row(part, "2", JUNE, min_quantity=Decimal(10)),
            row(part, "3", JUNE, customer_id=make.customer().pk),
            row(part, "4", JUNE, group_id=buyers.pk),
            row(part, "5", JUNE, price_list_id=make.price_list("WEB").pk),
            row(part, "6", JUNE, uom="CASE"),
        ]
        upsert_prices(rows=others, **WHO)

        changed = upsert_prices(rows=[row(part, "9", JULY)], **WHO)

        assert len(changed) == 2
        assert Price.objects.filter(valid_until=None).count() == 6
        assert sorted(Price.objects.values_list("kind", flat=True)) == [
            "contract", "group", "list", "list", "list", "list", "list",
        ]  # fmt: skip

    def test_changes_nothing_when_done_again(self) -> None:
        part = make.product()
        rows = [row(part, "5", JUNE), row(part, "6", JULY)]
        upsert_prices(rows=rows, **WHO)

        assert upsert_prices(rows=rows, **WHO) == []
        assert AuditEntry.objects.filter(subject_kind="orders.price").count() == 2

    def test_keeps_before_and_after_in_the_story(self) -> None:
        part = make.product()
        upsert_prices(rows=[row(part, "5", JUNE)], **WHO)

        upsert_prices(rows=[row(part, "6", JUNE)], reason="resin", **WHO)

        entry = AuditEntry.objects.latest("id")
        assert (entry.action, entry.reason) == ("orders.change_price", "resin")
        assert entry.before is not None
        assert (entry.before["unit_price"], entry.after["unit_price"]) == ("5.0000", "6")
        assert entry.thread == f"inventory.product:{part.pk}"

    def test_refuses_who_looked_at_another_price(self) -> None:
        part = make.product()
        upsert_prices(rows=[row(part, "5", JUNE)], **WHO)
        looked = seen(part)
        upsert_prices(rows=[row(part, "6", JULY, seen=looked)], **WHO)

        with pytest.raises(PriceChanged, match="it is 6 now"):
            upsert_prices(rows=[row(part, "7", JULY, seen=looked)], **WHO)

        assert timeline(part) == [(JUNE, JULY, 5), (JULY, None, 6)]

    @pytest.mark.parametrize(
        ("price", "values", "field"),
        [
            ("-0.01", {}, "unit_price"),
            ("0.00001", {}, "unit_price"),
            ("NaN", {}, "unit_price"),
            ("1", {"min_quantity": Decimal(-1)}, "min_quantity"),
            ("1", {"valid_until": JUNE}, "valid_to"),
        ],
    )
    def test_refuses_what_cannot_be_kept(self, price: str, values: Any, field: str) -> None:
        with pytest.raises(BadPrice) as told:
            upsert_prices(rows=[row(make.product(), price, JUNE, **values)], **WHO)

        assert told.value.field == field
        assert not Price.objects.exists()

    def test_takes_a_thousand_with_six_statements(self, django_assert_max_num_queries) -> None:
        part = make.product()
        rows = [row(part, "5", JUNE, min_quantity=Decimal(n)) for n in range(1_000)]
        upsert_prices(rows=rows, **WHO)

        later = [row(part, "6", JULY, min_quantity=Decimal(n)) for n in range(1_000)]
        with django_assert_max_num_queries(10):  # savepoints and the audit among them
            assert len(upsert_prices(rows=later, **WHO)) == 2_000


class TestTheDatabase:
    def test_refuses_two_prices_on_one_day(self) -> None:
        part = make.product()
        upsert_prices(rows=[row(part, "5", JUNE)], **WHO)
        twin = Price.objects.get()
        twin.pk, twin.valid_from = None, JULY

        with pytest.raises(IntegrityError, match="periods_do_not_overlap"), transaction.atomic():
            twin.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.mark.parametrize("prices", [1, 2])
    def test_one_wins_and_the_other_is_told(self, prices: int) -> None:
        part, known = make.product(), prices == 2
        if known:
            upsert_prices(rows=[row(part, "5", JUNE)], **WHO)
        looked = seen(part) if known else "0"
        start, told = threading.Barrier(2), []

        def edit(price: str) -> None:
            change = row(part, price, JULY, seen=looked)
            start.wait(10)
            try:
                upsert_prices(rows=[change], **WHO)
            except PriceChanged as refusal:
                told.append(str(refusal))
            finally:
                connection.close()

        people = [threading.Thread(target=edit, args=[price]) for price in ("6", "7")]
        for each in people:
            each.start()
        for each in people:
            each.join(30)

        assert len(told) == 1
        assert told[0].endswith(("Look again.", "look again."))
        assert [price for _, until, price in timeline(part) if until is None] in ([6], [7])
        assert len(timeline(part)) == prices
