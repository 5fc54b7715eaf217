"""orders/services/reallocating: runs, from the simulation to the shipments."""

from decimal import Decimal
from typing import Any

import pytest

from erp.governance.models import Approval, AuditEntry
from erp.outbox.models import Message
from inventory.models import AllocationDecision, AllocationRun, Reservation, Shipment
from orders.models import Order, Reallocation
from orders.services import allocate_orders
from orders.services.reallocating import (
    BadReallocation,
    NotDecided,
    Overtaken,
    approve_reallocation,
    commit_run,
    discard_run,
    propose_reallocation,
    reject_reallocation,
    simulate_queued,
)
from tests.orders import factories as make
from tests.orders.services.reallocating.worlds import books_balance, held, ordered
from tests.orders.services.segmenting.test_segmenting import assigned, kept, segment

pytestmark = pytest.mark.django_db


def proposed(actor: Any = None, **values: Any) -> Reallocation:
    asked: dict[str, Any] = {"product_ids": [], "node_ids": [], "strategy": {}, "reason": ""}
    return propose_reallocation(
        entity_id=make.company().pk, actor=actor, now=make.NOW, **asked | values
    )


def committed(run: Reallocation, actor: Any = None) -> Reallocation:
    return commit_run(reallocation_id=run.pk, actor=actor, now=make.NOW)


def told(name: str) -> int:
    return Message.objects.filter(name=f"orders.{name}").count()


class TestProposeReallocation:
    def test_says_who_would_gain_and_lose_and_touches_nothing(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        early, late = ordered(part, 5), ordered(part, 4, "A")

        run = proposed()

        changes = {each.line.order_id: each for each in run.changes.all()}
        assert run.state == "simulated"
        assert (run.gained, run.gained_amount, run.lost, run.lost_amount) == (4, 40, 4, 40)
        assert (changes[late.pk].before, changes[late.pk].after) == (0, 4)
        assert (changes[early.pk].before, changes[early.pk].after) == (5, 1)
        assert (changes[late.pk].strategy, changes[early.pk].strategy) == ("gain", "redistribute")
        assert changes[early.pk].amount == -40
        assert changes[late.pk].possible_date is not None
        assert (held(early), held(late)) == (5, 0)
        books_balance()

    def test_changes_nothing_where_everybody_has_what_rank_gives_them(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        ordered(part, 4, "A")
        ordered(part, 5)

        run = proposed()

        assert (run.gained, run.lost, run.lines) == (0, 0, 2)
        assert not run.changes.exists()

    def test_a_person_s_choice_goes_before_the_policy(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        early, late = ordered(part, 5), ordered(part, 4, "A")

        kept = proposed(strategy={"C": "gain"})
        given = proposed(strategy={"all": "lose"})

        assert not kept.changes.exists()
        assert [(c.line.order_id, c.after) for c in given.changes.all()] == [(early.pk, 0)]
        assert held(late) == 0

    def test_leaves_other_products_alone(self) -> None:
        one, other = make.priced("10"), make.priced("10")
        for part in (one, other):
            make.stocked(part, 5)
            ordered(part, 5)
            ordered(part, 4, "A")

        run = proposed(product_ids=[one.pk])

        assert {each.line.product_id for each in run.changes.all()} == {one.pk}

    def test_leaves_what_leaves_together_as_it_is(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        ordered(part, 5, ship_complete=True)
        ordered(part, 4, "A")

        assert proposed().gained == 0

    def test_refuses_a_strategy_that_is_none(self) -> None:
        with pytest.raises(BadReallocation) as refused:
            proposed(strategy={"A": "grab"})

        assert refused.value.field == "strategy.A"
        assert not Reallocation.objects.exists()

    def test_queues_a_large_one_for_a_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("orders.services.reallocating._simulating.AT_ONCE_MAX", 1)
        part = make.priced("10")
        make.stocked(part, 5)
        ordered(part, 5)
        ordered(part, 4, "A")

        run = proposed()
        assert (run.state, run.lines, run.changes.count()) == ("queued", 2, 0)
        assert simulate_queued(now=make.NOW)

        run = Reallocation.objects.get()
        assert (run.state, run.gained, run.changes.count()) == ("simulated", 4, 2)
        assert not simulate_queued(now=make.NOW)


class TestCommitRun:
    def test_takes_gives_plans_and_tells_in_one_go(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        early, late = ordered(part, 5), ordered(part, 4, "A")
        (planned,) = make.shipments_of(early)

        run = committed(proposed())

        early.refresh_from_db()
        late.refresh_from_db()
        assert run.state == "committed"
        assert (held(early), held(late)) == (1, 4)
        assert (early.state, late.state) == ("partly_allocated", "allocated")
        assert Shipment.objects.get(pk=planned).state == "void"
        lines = Shipment.objects.filter(state="planned").values_list("source_id", "lines__quantity")
        assert dict(lines) == {early.pk: 1, late.pk: 4}
        assert late.promised_date is not None
        assert told("line_covered") == 1
        assert Message.objects.filter(name="orders.line_fell_short").count() == 2
        assert AuditEntry.objects.filter(action="orders.reallocate").count() == 2
        assert AllocationRun.objects.get(pk=run.run_id).certificate["holds"]
        assert AllocationDecision.objects.filter(run_id=run.run_id).count() == 2
        books_balance()

    def test_again_changes_nothing(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        early, late = ordered(part, 5), ordered(part, 4, "A")
        run = committed(proposed())
        runs, entries = AllocationRun.objects.count(), AuditEntry.objects.count()

        committed(run)

        assert (AllocationRun.objects.count(), AuditEntry.objects.count()) == (runs, entries)
        again = committed(proposed())
        assert (again.gained, again.lost) == (0, 0)
        assert (held(early), held(late)) == (1, 4)

    def test_leaves_nothing_for_allocation_to_give(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        orders = [ordered(part, 5), ordered(part, 4, "A"), ordered(part, 2, "B")]
        run = committed(proposed(strategy={"B": "redistribute"}))
        assert run.state == "committed"

        found = allocate_orders(order_ids=[each.pk for each in orders], cause="test", now=make.NOW)

        assert not any(found.given.values())

    def test_leaves_what_was_picked_where_it_is(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        early = make.picked(make.account(), make.line(part, 3))
        late = ordered(part, 4, "A")

        run = committed(proposed())

        assert (run.gained, held(early), held(late)) == (0, 3, 2)

    def test_refuses_when_stock_changed_underneath_and_names_who_is_touched(self) -> None:
        part = make.priced("10")
        stock = make.stocked(part, 5)
        early, late = ordered(part, 5), ordered(part, 4, "A")
        run = proposed()
        make.stocked(part, 2)

        with pytest.raises(Overtaken) as refused:
            committed(run)

        assert (held(early), held(late)) == (5, 0)
        assert early.number in str(refused.value)
        refused.value.follow_up(make.NOW)
        run = Reallocation.objects.get()
        assert run.state == "stale"
        assert early.number in run.end_reason
        assert stock.pk
        with pytest.raises(NotDecided):
            committed(run)

    def test_asks_first_where_a_protected_customer_loses(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        key, top = ordered(part, 5, "B"), ordered(part, 4, "A")
        planner, lead = make.person("p", "planner"), make.person("l", "operations_lead")

        run = committed(proposed(planner), planner)

        assert (run.state, held(key)) == ("awaiting_approval", 5)
        approval = Approval.objects.get()
        assert Decimal(approval.facts["losers_value"]) == 40
        run = approve_reallocation(reallocation_id=run.pk, actor=lead, now=make.NOW)
        assert (run.state, held(key), held(top)) == ("committed", 1, 4)
        books_balance()

    def test_asks_first_where_a_segment_loses_for_which_something_is_kept(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        gold = make.customer("GOLD")
        segment("top")
        assigned("customer", "GOLD", "top")
        mine = make.allocated(make.account(gold), make.line(part, 5))
        kept(part, "top", 3)
        top = ordered(part, 4, "A")
        planner = make.person("p", "planner")

        run = committed(proposed(planner), planner)

        (loss,) = [each for each in run.changes.all() if each.after < each.before]
        assert (loss.after, loss.is_protected) == (3, True)  # what is kept for it stays
        assert (run.state, held(mine), held(top)) == ("awaiting_approval", 5, 0)
        lead = make.person("l", "operations_lead")
        approve_reallocation(reallocation_id=run.pk, actor=lead, now=make.NOW)
        assert (held(mine), held(top)) == (3, 2)
        books_balance()

    def test_what_is_free_and_kept_for_others_is_not_shared_out(self) -> None:
        part = make.priced("10")
        plain = ordered(part, 4, "A")
        segment("top")
        kept(part, "top", 3)
        make.stocked(part, 5)

        committed(proposed())

        assert held(plain) == 2
        books_balance()

    def test_what_is_shared_out_uses_up_the_share(self) -> None:
        part = make.priced("10")
        gold = make.customer("GOLD")
        segment("top")
        assigned("customer", "GOLD", "top")
        mine = make.allocated(make.account(gold), make.line(part, 9))
        kept(part, "top", 0, Decimal(6))
        make.stocked(part, 5)
        committed(proposed())
        assert held(mine) == 5
        make.stocked(part, 5)

        committed(proposed())
        allocate_orders(order_ids=[mine.pk], cause="test", now=make.NOW)

        assert held(mine) == 6
        books_balance()

    def test_a_rejected_one_takes_nothing(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        key, top = ordered(part, 5, "B"), ordered(part, 4, "A")
        planner, lead = make.person("p", "planner"), make.person("l", "operations_lead")
        run = committed(proposed(planner), planner)

        run = reject_reallocation(
            reallocation_id=run.pk, reason="Not theirs", actor=lead, now=make.NOW
        )

        assert (run.state, run.end_reason) == ("discarded", "Not theirs")
        assert (held(key), held(top)) == (5, 0)


class TestDiscardRun:
    def test_lets_it_go_once(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        early = ordered(part, 5)
        ordered(part, 4, "A")
        run = proposed()

        for _ in range(2):
            run = discard_run(reallocation_id=run.pk, reason="No", actor=None, now=make.NOW)

        assert (run.state, run.end_reason, held(early)) == ("discarded", "No", 5)
        with pytest.raises(NotDecided):
            committed(run)

    def test_refuses_what_was_done(self) -> None:
        run = committed(proposed())

        with pytest.raises(NotDecided):
            discard_run(reallocation_id=run.pk, reason="", actor=None, now=make.NOW)


def test_nothing_is_reserved_twice_where_lines_lie_at_several_nodes() -> None:
    part = make.priced("10")
    for name in ("DC-A", "DC-B"):
        make.stocked(part, 4, node=make.node(name))
    orders = [ordered(part, 5), ordered(part, 3), ordered(part, 6, "A"), ordered(part, 1, "D")]

    committed(proposed())

    assert [held(each) for each in orders] == [2, 0, 6, 0]
    assert Reservation.objects.filter(closed_at=None).count() >= 3
    assert {o.state for o in Order.objects.all()} == {
        "allocated", "partly_allocated", "backordered",
    }  # fmt: skip
    books_balance()
