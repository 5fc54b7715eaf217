"""exceptions/services/_hanging.py: one cause, one case."""

from datetime import datetime, timedelta

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry
from erp.kernel.invariants import check
from exceptions.models import CaseTimer, ExceptionCase, Notice
from exceptions.selectors import INVARIANTS, counts, queue
from exceptions.services import (
    BadMerge,
    CaseClosed,
    clear,
    fire_due_timers,
    merge,
    reconsider_children,
    refresh,
    take,
    unmerge,
)
from inventory.models import Product
from orders.models import OrderLine
from procurement.models import PurchaseOrder, PurchaseOrderLine
from tests.exceptions import factories

LATE = factories.TODAY - timedelta(days=2)
SOON = factories.TODAY + timedelta(days=1)


@pytest.fixture
def lee(entity: Entity) -> User:
    return factories.person("lee", "planner")


def late_purchase(item: Product) -> PurchaseOrder:
    return factories.purchase(item, 1_000, expected=LATE)


def lines_of(item: Product, count: int) -> list[OrderLine]:
    """Lines of one order each, all short, wanted today: too early for what comes tomorrow."""
    buyer = factories.account()
    return [
        factories.short_line(
            5, item=item, account=buyer, requested_date=factories.TODAY
        )
        for _ in range(count)
    ]  # fmt: skip


def short(lines: list[OrderLine], now: datetime) -> None:
    refresh(type="orders.shortage", subject_ids=[line.pk for line in lines], now=now)


def broken() -> list[str]:
    return [one.code for one in INVARIANTS if check(one).violations]


class TestHang:
    @pytest.mark.parametrize("many", [40, 400])
    def test_one_late_purchase_is_one_case_with_its_children(
        self, many: int, lee: User, now: datetime, django_assert_max_num_queries: object
    ) -> None:
        item = factories.product()
        purchase = late_purchase(item)
        lines = lines_of(item, many)
        short(lines, now)

        with django_assert_max_num_queries(45):
            refresh(type="procurement.late_supply", subject_ids=[purchase.pk], now=now)

        parent = ExceptionCase.objects.get(type="procurement.late_supply")
        assert parent.children.count() == many
        page = queue(entity_ids=[parent.entity_id], now=now)
        assert [(row.id, row.children) for row in page.rows] == [(parent.pk, many)]
        assert counts(entity_ids=[parent.entity_id], now=now).open == 1
        ringing = CaseTimer.objects.filter(fired_at=None, cancelled_at=None)
        assert set(ringing.values_list("case_id", flat=True)) == {parent.pk}
        assert broken() == []

    def test_a_child_that_arrives_later_joins_and_rings_nobody(
        self, lee: User, now: datetime
    ) -> None:
        item = factories.product()
        purchase = late_purchase(item)
        refresh(type="procurement.late_supply", subject_ids=[purchase.pk], now=now)
        Notice.objects.all().delete()

        short(lines_of(item, 1), now + timedelta(hours=1))

        child = ExceptionCase.objects.get(type="orders.shortage")
        assert child.parent == ExceptionCase.objects.get(type="procurement.late_supply")
        assert not Notice.objects.exists()
        assert not CaseTimer.objects.filter(case=child, fired_at=None, cancelled_at=None).exists()

    def test_a_corrected_date_clears_them_without_a_person(self, lee: User, now: datetime) -> None:
        item = factories.product()
        purchase = late_purchase(item)
        lines = lines_of(item, 10)
        short(lines, now)
        refresh(type="procurement.late_supply", subject_ids=[purchase.pk], now=now)
        parent = ExceptionCase.objects.get(type="procurement.late_supply")
        PurchaseOrder.objects.update(expected_date=SOON)
        PurchaseOrderLine.objects.update(expected_date=SOON)
        OrderLine.objects.update(reserved=5)

        clear(subject_ids=[purchase.pk], type="procurement.late_supply", now=now)
        cleared = reconsider_children(parent_ids=[parent.pk], now=now)

        assert len(cleared) == 10
        assert not ExceptionCase.objects.filter(state__in=ExceptionCase.LIVE).exists()
        assert set(ExceptionCase.objects.values_list("resolved_by", flat=True)) == {None}

    def test_a_child_that_still_holds_stands_for_itself_again(
        self, lee: User, now: datetime
    ) -> None:
        item = factories.product()
        purchase = late_purchase(item)
        short(lines_of(item, 1), now)
        refresh(type="procurement.late_supply", subject_ids=[purchase.pk], now=now)
        parent = ExceptionCase.objects.get(type="procurement.late_supply")
        PurchaseOrder.objects.update(state="cancelled")

        clear(subject_ids=[purchase.pk], type="procurement.late_supply", now=now)
        reconsider_children(parent_ids=[parent.pk], now=now + timedelta(minutes=1))

        child = ExceptionCase.objects.get(type="orders.shortage")
        assert (child.parent, child.state) == (None, "assigned")
        kinds = CaseTimer.objects.filter(case=child, fired_at=None, cancelled_at=None)
        assert set(kinds.values_list("kind", flat=True)) == {"acknowledge", "predicted", "resolve"}
        assert broken() == []

    def test_hangs_only_under_what_is_late(self, lee: User, now: datetime) -> None:
        item = factories.product()
        purchase = factories.purchase(item, 1_000, expected=SOON)
        refresh(type="procurement.late_supply", subject_ids=[purchase.pk], now=now)

        short(lines_of(item, 1), now)

        assert ExceptionCase.objects.get().parent is None


class TestMerge:
    def test_hangs_cases_with_their_children_under_another(self, lee: User, now: datetime) -> None:
        one, two, three = (factories.shortage_case() for _ in range(3))
        merge(case_ids=[three.pk], into_id=two.pk, reason="Same truck", actor=lee, now=now)

        merge(case_ids=[two.pk], into_id=one.pk, reason="Same truck", actor=lee, now=now)

        parents = dict(ExceptionCase.objects.values_list("pk", "parent_id"))
        assert parents == {one.pk: None, two.pk: one.pk, three.pk: one.pk}
        assert fire_due_timers(now=two.acknowledge_by)[0].case_id == one.pk
        entries = AuditEntry.objects.filter(action="exceptions.merge").count()
        merge(case_ids=[two.pk], into_id=one.pk, reason="Same truck", actor=lee, now=now)
        assert AuditEntry.objects.filter(action="exceptions.merge").count() == entries
        assert broken() == []

    def test_comes_apart_when_the_parent_is_over(self, lee: User, now: datetime) -> None:
        one, two = factories.shortage_case(), factories.shortage_case()
        merge(case_ids=[two.pk], into_id=one.pk, reason="", actor=lee, now=now)
        OrderLine.objects.filter(pk=one.subject_id).update(reserved=10)
        clear(subject_ids=[one.subject_id], now=now)

        reconsider_children(parent_ids=[one.pk], now=now)

        assert ExceptionCase.objects.get(pk=two.pk).parent is None
        assert ExceptionCase.objects.get(pk=two.pk).state in ExceptionCase.LIVE
        assert broken() == []

    def test_refuses_itself_a_child_and_what_is_over(self, lee: User, now: datetime) -> None:
        one, two, three = (factories.shortage_case() for _ in range(3))
        merge(case_ids=[two.pk], into_id=one.pk, reason="", actor=lee, now=now)
        for into in (three.pk, two.pk):
            with pytest.raises(BadMerge):
                merge(case_ids=[three.pk], into_id=into, reason="", actor=lee, now=now)
        OrderLine.objects.filter(pk=three.subject_id).update(reserved=10)
        clear(subject_ids=[three.subject_id], now=now)
        with pytest.raises(CaseClosed):
            merge(case_ids=[three.pk], into_id=one.pk, reason="", actor=lee, now=now)

    def test_can_be_undone(self, lee: User, now: datetime) -> None:
        one, two = factories.shortage_case(), factories.shortage_case()
        merge(case_ids=[two.pk], into_id=one.pk, reason="", actor=lee, now=now)

        unmerge(case_id=two.pk, actor=lee, now=now)

        take(case_id=two.pk, actor=lee, now=now)
        assert ExceptionCase.objects.get(pk=two.pk).parent is None
        with pytest.raises(BadMerge):
            unmerge(case_id=two.pk, actor=lee, now=now)
