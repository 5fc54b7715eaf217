"""Tests inventory/services/counting and finance/services/_counting.py, to the ledger."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django_fsm import TransitionNotAllowed

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.governance.selectors import approval_waiting_for
from erp.governance.services import NotYours, OwnRequest, reject
from erp.kernel.invariants import by_code, check
from finance.models import JournalEntry
from finance.selectors import INVARIANTS as MONEY
from finance.services import PeriodClosed, post_count, ship_shipments
from inventory.models import Count, CountLine, Product, Stock
from inventory.selectors import INVARIANTS as GOODS
from inventory.services import NotThatMuch
from inventory.services.counting import (
    BadCount,
    Counted,
    CountReasonMissing,
    CountUnfinished,
    NothingToCount,
    add_to_count,
    approve_count,
    cancel_count,
    plan_count,
    record_counts,
    submit_count,
)
from tests.finance import factories
from tests.finance.factories import (
    NOW,
    World,
    allocated,
    balance,
    close_month,
    pack,
    packed,
    product,
    shipments_of,
)
from tests.finance.transfers import picked as picked_transfer
from tests.finance.transfers import second_node

LATER = NOW + timedelta(hours=1)


def broken() -> dict[str, int]:
    found = by_code([check(each) for each in [*GOODS, *MONEY]])
    return {code: count for code, count in found.items() if count}


def somebody(where: World, role: Role = Role.OPERATIONS_LEAD) -> User:
    user = User.objects.create_user(f"user-{User.objects.count()}")
    assign_role(user=user, entity=where.entity, role=role)
    return user


def planned(where: World, **values: Any) -> Count:
    return plan_count(
        entity_id=where.entity.pk, node_id=where.node.pk, actor=None, now=NOW, **values
    )


def line_of(count: Count, goods: Product) -> CountLine:
    return count.lines.get(stock__product=goods)


def counted(
    count: Count,
    goods: Product,
    quantity: str,
    *,
    at: datetime = NOW,
    now: datetime | None = None,
    by: User | None = None,
) -> CountLine:
    found = [Counted(line_of(count, goods).pk, Decimal(quantity))]
    record_counts(count_id=count.pk, counted=found, actor=by, at=at, now=now or at)
    return line_of(count, goods)


def submitted(count: Count, by: User | None = None) -> Count:
    return submit_count(count_id=count.pk, actor=by, now=LATER)


class TestPlanCount:
    def test_puts_the_valuable_first_and_counts_nothing_twice(self, world: World) -> None:
        dear, cheap = product(world), product(world)
        order, shipments = packed(world, (dear, "100", "9"), (cheap, "1", "9"))
        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        first = plan_count(
            entity_id=world.entity.pk, node_id=world.node.pk, actor=None, now=LATER, lines_max=1
        )
        second = plan_count(entity_id=world.entity.pk, node_id=world.node.pk, actor=None, now=LATER)

        assert order.pk
        assert [line.stock.product for line in first.lines.all()] == [dear]
        assert first.lines.get().class_code == "A"
        assert [line.stock.product for line in second.lines.all()] == [cheap]
        with pytest.raises(NothingToCount), transaction.atomic():
            planned(world)
        assert broken() == {}

    def test_comes_back_when_the_class_s_days_are_over(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = planned(world)
        counted(count, goods, "10")
        submitted(count)
        post_count(count_id=count.pk, actor=None, now=LATER)

        def due(days: int) -> Count:
            return plan_count(
                entity_id=world.entity.pk,
                node_id=world.node.pk,
                actor=None,
                now=NOW + timedelta(days=days),
            )

        with pytest.raises(NothingToCount), transaction.atomic():
            due(179)
        assert due(180).lines.get().stock.product == goods


class TestRecordCounts:
    def test_expects_what_lay_there_and_moved_until_that_moment(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = planned(world)
        _, shipments = packed(world, (goods, "4", "9"), now=NOW + timedelta(minutes=10))

        before = counted(count, goods, "10", at=NOW + timedelta(minutes=5), now=LATER)
        assert before.expected == 10
        on_the_dock = counted(count, goods, "6", at=NOW + timedelta(minutes=20), now=LATER)
        assert on_the_dock.expected == 6
        ship_shipments(shipment_ids=shipments, actor=None, now=NOW + timedelta(minutes=30))
        gone = counted(count, goods, "6", at=NOW + timedelta(minutes=40), now=LATER)
        again = counted(count, goods, "6", at=NOW + timedelta(minutes=20), now=LATER)

        assert (gone.expected, again.expected) == (6, 6)
        assert submitted(count).state == "approved"
        assert post_count(count_id=count.pk, actor=None, now=LATER).lost == 0
        assert Stock.objects.get(product=goods).on_hand == 6
        assert broken() == {}

    def test_leaves_out_what_stands_picked_for_a_transfer(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = planned(world)
        picked_transfer(world, (goods, "3"), to=second_node(world))

        assert counted(count, goods, "7", at=LATER).expected == 7

    @pytest.mark.parametrize("quantity", ["-1", "0.0001", "NaN"])
    def test_refuses_what_cannot_be(self, world: World, quantity: str) -> None:
        goods = product(world, on_hand="10")
        count = planned(world)

        with pytest.raises(BadCount), transaction.atomic():
            counted(count, goods, quantity)

        assert line_of(count, goods).counted is None

    @pytest.mark.parametrize("minutes", [-1, 61])
    def test_refuses_a_moment_before_the_sheet_or_to_come(self, world: World, minutes: int) -> None:
        goods = product(world, on_hand="10")
        count = planned(world)

        with pytest.raises(BadCount), transaction.atomic():
            counted(count, goods, "10", at=NOW + timedelta(minutes=minutes), now=LATER)

    def test_refuses_another_sheet_s_line(self, world: World) -> None:
        one = product(world, on_hand="10")
        first = planned(world)
        product(world, on_hand="10")
        second = planned(world)

        with pytest.raises(BadCount), transaction.atomic():
            record_counts(
                count_id=second.pk,
                counted=[Counted(line_of(first, one).pk, Decimal(1))],
                actor=None,
                at=NOW,
                now=NOW,
            )


class TestSubmitCount:
    def test_wants_every_line(self, world: World) -> None:
        product(world, on_hand="10")
        count = planned(world)

        with pytest.raises(CountUnfinished) as refused, transaction.atomic():
            submitted(count)

        assert refused.value.missing == 1
        assert Count.objects.get().state == "open"

    def test_has_a_difference_of_value_counted_again_without_saying_which(
        self, world: World
    ) -> None:
        right, wrong = product(world, on_hand="100"), product(world, on_hand="100")
        count = planned(world)
        counted(count, right, "100")
        counted(count, wrong, "90")  # twenty dollars

        again = submitted(count)

        assert again.state == "recount"
        line = line_of(count, wrong)
        assert (line.is_again, line.counted, line.expected, line.earlier) == (True, None, None, 90)
        assert not line_of(count, right).is_again
        with pytest.raises(BadCount), transaction.atomic():
            counted(count, right, "99", at=LATER)
        counted(count, wrong, "100", at=LATER)
        assert submitted(count).state == "approved"
        assert post_count(count_id=count.pk, actor=None, now=LATER).lost == 0

    @pytest.mark.parametrize(("found", "state"), [("90.5", "approved"), ("90", "recount")])
    def test_believes_a_little(self, world: World, found: str, state: str) -> None:
        goods = product(world, on_hand="100")
        count = planned(world)
        counted(count, goods, found)

        assert submitted(count).state == state


class TestApproveCount:
    def review(self, world: World, by: User, found: str = "699") -> Count:
        goods = product(world, on_hand="1000", unit_value="2")
        count = planned(world)
        counted(count, goods, found, by=by)
        assert submitted(count, by).state == "recount"
        counted(count, goods, found, at=LATER, by=by)
        return submitted(count, by)

    def test_is_the_word_of_somebody_who_did_not_count(self, world: World) -> None:
        counter = somebody(world)
        count = self.review(world, counter)
        assert (count.state, count.variance) == ("review", Decimal(602))

        with pytest.raises((OwnRequest, NotYours)), transaction.atomic():
            approve_count(count_id=count.pk, actor=counter, now=LATER)
        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            post_count(count_id=count.pk, actor=counter, now=LATER)
        boss = somebody(world, Role.CONTROLLER)
        assert approve_count(count_id=count.pk, actor=boss, now=LATER).state == "approved"
        assert approve_count(count_id=count.pk, actor=boss, now=LATER).state == "approved"

        done = post_count(count_id=count.pk, actor=boss, now=LATER)

        assert (done.state, done.lost) == ("posted", Decimal(602))
        assert balance(world, "variance") == 602
        assert broken() == {}

    def test_a_rejected_one_is_counted_again(
        self, world: World, deliver_all: Callable[[], int]
    ) -> None:
        count = self.review(world, somebody(world))
        waiting = approval_waiting_for(document_kind="inventory.count", document_id=count.pk)
        assert waiting is not None

        reject(
            approval_id=waiting.id, actor=somebody(world, Role.CONTROLLER), reason="No", now=LATER
        )
        deliver_all()

        assert Count.objects.get().state == "recount"
        assert count.lines.get().counted is None

    def test_exactly_the_limit_needs_nobody(self, world: World) -> None:
        assert self.review(world, somebody(world), "750").state == "approved"


class TestPostCount:
    def approved(self, world: World, goods: Product, found: str) -> Count:
        count = planned(world)
        counted(count, goods, found)
        if submitted(count).state == "recount":
            counted(count, goods, found, at=LATER)
            submitted(count)
        assert Count.objects.get(pk=count.pk).state == "approved"
        return count

    def test_corrects_by_the_difference_whatever_moved_since(self, world: World) -> None:
        goods = product(world, on_hand="100", unit_value="2")
        count = self.approved(world, goods, "95")
        _, shipments = packed(world, (goods, "10", "9"), now=LATER)
        ship_shipments(shipment_ids=shipments, actor=None, now=LATER)

        done = post_count(count_id=count.pk, actor=None, now=LATER)
        again = post_count(count_id=count.pk, actor=None, now=LATER)

        assert (done.lost, again.lost) == (Decimal(10), 0)
        assert Stock.objects.get(product=goods).on_hand == 85
        assert JournalEntry.objects.filter(kind="adjustment").count() == 1
        assert broken() == {}

    def test_finds_what_nobody_knew_of(self, world: World) -> None:
        known, extra = product(world, on_hand="10"), product(world, on_hand="0")
        count = planned(world)
        line = add_to_count(count_id=count.pk, product_code=extra.code, actor=None, now=NOW)
        assert (
            add_to_count(count_id=count.pk, product_code=extra.code, actor=None, now=NOW).pk
            == line.pk
        )
        counted(count, known, "10")
        counted(count, extra, "2")

        assert submitted(count).state == "approved"
        post_count(count_id=count.pk, actor=None, now=LATER)

        assert Stock.objects.get(product=extra).on_hand == 2
        assert broken() == {}

    def test_does_not_take_what_is_kept_for_somebody(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = self.approved(world, goods, "4")
        allocated(world, (goods, "8", "9"))

        with pytest.raises(NotThatMuch), transaction.atomic():
            post_count(count_id=count.pk, actor=None, now=LATER)

        assert Count.objects.get().state == "approved"
        assert Stock.objects.get(product=goods).on_hand == 10
        assert broken() == {}

    def test_refuses_a_closed_month_and_stays_as_it_was(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = self.approved(world, goods, "4")
        close_month("2026-11-01")

        with pytest.raises(PeriodClosed), transaction.atomic():
            post_count(count_id=count.pk, actor=None, now=LATER)

        assert Count.objects.get().state == "approved"
        assert Stock.objects.get(product=goods).on_hand == 10

    def test_nothing_of_one_called_off_after_it_was_agreed_to(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = self.approved(world, goods, "4")

        cancel_count(count_id=count.pk, reason="Wrong aisle", actor=None, now=LATER)

        count = Count.objects.get()
        assert (count.state, count.approved_at, count.approved_by) == ("cancelled", None, None)
        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            post_count(count_id=count.pk, actor=None, now=LATER)
        assert Stock.objects.get(product=goods).on_hand == 10

    def test_nothing_of_one_called_off(self, world: World) -> None:
        goods = product(world, on_hand="10")
        count = planned(world)
        counted(count, goods, "4")
        with pytest.raises(CountReasonMissing), transaction.atomic():
            cancel_count(count_id=count.pk, reason=" ", actor=None, now=LATER)

        cancel_count(count_id=count.pk, reason="Too late", actor=None, now=LATER)

        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            post_count(count_id=count.pk, actor=None, now=LATER)
        assert Stock.objects.get(product=goods).on_hand == 10


@pytest.mark.django_db(transaction=True)
def test_counting_while_goods_leave_never_mistakes_one_for_the_other() -> None:
    world = factories.world()
    goods = product(world, on_hand="40", unit_value="2")
    orders = [allocated(world, (goods, "2", "9")) for _ in range(6)]
    shipments = [shipments_of(order)[0] for order in orders]
    pack(shipments)
    count = plan_count(entity_id=world.entity.pk, node_id=world.node.pk, actor=None, now=NOW)
    line = count.lines.get()

    def ship(shipment_id: int) -> None:
        ship_shipments(shipment_ids=[shipment_id], actor=None, now=LATER)

    def look(_turn: int) -> None:  # what stands packed is off the shelf: 28 lie there all the time
        found = [Counted(line.pk, Decimal(28))]
        record_counts(count_id=count.pk, counted=found, actor=None, at=LATER, now=LATER)
        assert CountLine.objects.get(pk=line.pk).expected == 28

    def run(job: Callable[[], None]) -> Any:
        try:
            return job()
        except Exception as error:  # noqa: BLE001  the test looks at it
            return error
        finally:
            connection.close()

    jobs: list[Callable[[], None]] = []
    for turn, shipment_id in enumerate(shipments):
        jobs += [lambda i=shipment_id: ship(i), lambda t=turn: look(t)]  # type: ignore[misc]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(run, jobs))

    assert [each for each in answers if each is not None] == []
    submit_count(count_id=count.pk, actor=None, now=LATER)
    assert post_count(count_id=count.pk, actor=None, now=LATER).lost == 0
    assert Stock.objects.get(product=goods).on_hand == 28
    assert broken() == {}
