"""orders/services/reallocating: taking stock for one order."""

from decimal import Decimal
from typing import Any

import pytest

from erp.accounts.models import User
from erp.governance.models import Approval
from erp.governance.services import AlreadyDecided, OwnRequest, approve
from orders.models import Order, Reallocation
from orders.selectors import reallocation_fingerprints
from orders.services.reallocating import (
    BadReallocation,
    NotEnoughToTake,
    approve_reallocation,
    follow_reallocation_approval,
    propose_override,
    reject_reallocation,
)
from tests.orders import factories as make
from tests.orders.services.reallocating.worlds import books_balance, held, ordered
from tests.orders.services.segmenting.test_segmenting import assigned, kept, segment

pytestmark = pytest.mark.django_db


def asked(order: Order, quantity: str, actor: User | None, **values: Any) -> Reallocation:
    given: dict[str, Any] = {"taken_from": [], "reason": "A line is down there"}
    return propose_override(
        line_id=make.lines_of(order)[0].pk,
        quantity=Decimal(quantity),
        actor=actor,
        now=make.NOW,
        **given | values,
    )


def short(price: str = "10") -> tuple[Order, Order, Order]:
    """Make a shortage: A and C hold all there is, D has nothing."""
    part = make.priced(price)
    make.stocked(part, 5)
    return ordered(part, 2, "A"), ordered(part, 3, "C"), ordered(part, 4, "D")


def people() -> tuple[User, User]:
    return make.person("p", "planner"), make.person("l", "operations_lead")


class TestProposeOverride:
    def test_shows_the_losers_and_waits_for_somebody_else(self) -> None:
        top, usual, late = short()
        planner, _ = people()

        found = asked(late, "2", planner)

        changes = {each.line.order_id: each for each in found.changes.all()}
        assert found.state == "awaiting_approval"
        assert (changes[usual.pk].before, changes[usual.pk].after) == (3, 1)
        assert changes[usual.pk].amount == -20
        assert top.pk not in changes  # it ranks first, so it loses last
        assert (held(top), held(usual), held(late)) == (2, 3, 0)
        approval = Approval.objects.get()
        assert Decimal(approval.facts["losers_value"]) == 20
        assert usual.number in approval.effects[0]["text"]

    def test_takes_what_is_kept_for_others_once_somebody_agrees(self) -> None:
        part = make.priced("10")
        make.stocked(part, 5)
        gold = make.customer("GOLD")
        segment("top")
        assigned("customer", "GOLD", "top")
        mine = make.allocated(make.account(gold), make.line(part, 5))
        kept(part, "top", 5)
        late = ordered(part, 4, "D")
        planner, lead = people()

        found = asked(late, "2", planner)

        (loss,) = [each for each in found.changes.all() if each.after < each.before]
        assert (loss.line.order_id, loss.after, loss.is_protected) == (mine.pk, 3, True)
        assert (held(mine), held(late)) == (5, 0)
        assert "2 of what is taken is kept for others" in {
            each["text"] for each in Approval.objects.get().effects
        }
        approve_reallocation(reallocation_id=found.pk, actor=lead, now=make.NOW)
        assert (held(mine), held(late)) == (3, 2)
        books_balance()

    def test_takes_from_whom_is_named_alone(self) -> None:
        top, _, late = short()
        named = make.lines_of(top)[0].pk

        found = asked(late, "2", None, taken_from=[named])

        assert {c.line_id: c.after for c in found.changes.all() if c.amount < 0} == {named: 0}

    def test_asks_more_people_the_more_is_lost(self) -> None:
        _, _, late = short("10000")

        asked(late, "2", people()[0])

        assert Approval.objects.get().steps.count() == 2

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"reason": " "}, "reason"),
            ({"quantity": "5"}, "quantity"),
            ({"quantity": "0"}, "quantity"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, values: dict[str, Any], field: str) -> None:
        _, _, late = short()
        given = {"quantity": "1", **values}

        with pytest.raises(BadReallocation) as refused:
            asked(late, given.pop("quantity"), None, **given)

        assert refused.value.field == field
        assert not Reallocation.objects.exists()

    def test_refuses_more_than_there_is_to_take(self) -> None:
        top, usual, _ = short()
        named = make.lines_of(top)[0].pk
        late = Order.objects.exclude(pk__in=[top.pk, usual.pk]).get()

        with pytest.raises(NotEnoughToTake, match="Only 2"):
            asked(late, "3", None, taken_from=[named])

        assert not Approval.objects.exists()

    def test_refuses_a_line_that_leaves_together_with_others(self) -> None:
        part = make.priced()
        make.stocked(part, 2)
        ordered(part, 2)
        whole = ordered(part, 2, "D", ship_complete=True)

        with pytest.raises(BadReallocation) as refused:
            asked(whole, "1", None)

        assert refused.value.field == "line"


class TestApprove:
    def test_takes_the_stock_at_once(self) -> None:
        top, usual, late = short()
        planner, lead = people()
        found = asked(late, "2", planner)

        found = approve_reallocation(reallocation_id=found.pk, actor=lead, now=make.NOW)

        usual.refresh_from_db()
        late.refresh_from_db()
        assert found.state == "committed"
        assert (held(top), held(usual), held(late)) == (2, 1, 2)
        assert (usual.state, late.state) == ("partly_allocated", "partly_allocated")
        books_balance()

    def test_the_author_cannot_agree(self) -> None:
        _, usual, late = short()
        _, lead = people()
        found = asked(late, "2", lead)

        with pytest.raises(OwnRequest):
            approve_reallocation(reallocation_id=found.pk, actor=lead, now=make.NOW)

        assert held(usual) == 3

    def test_the_inbox_does_the_same_and_twice_is_once(self) -> None:
        _, usual, late = short()
        planner, lead = people()
        found = asked(late, "2", planner)
        waiting = Approval.objects.get()
        print_of = reallocation_fingerprints([found.pk])[found.pk]
        approve(approval_id=waiting.pk, actor=lead, fingerprint=print_of, now=make.NOW)

        for _ in range(2):
            follow_reallocation_approval(
                reallocation_id=found.pk, state="approved", decided_by=lead, reason="", now=make.NOW
            )

        assert (held(usual), held(late)) == (1, 2)

    def test_one_that_was_overtaken_is_marked_and_takes_nothing(self) -> None:
        _, usual, late = short()
        planner, lead = people()
        found = asked(late, "2", planner)
        make.stocked(make.lines_of(late)[0].product, 3)

        follow_reallocation_approval(
            reallocation_id=found.pk, state="approved", decided_by=lead, reason="", now=make.NOW
        )

        found = Reallocation.objects.get()
        assert (found.state, held(usual), held(late)) == ("stale", 3, 0)
        assert usual.number in found.end_reason


class TestReject:
    def test_takes_nothing_and_cannot_be_approved_any_more(self) -> None:
        _, usual, late = short()
        planner, lead = people()
        found = asked(late, "2", planner)

        reject_reallocation(reallocation_id=found.pk, reason="No", actor=lead, now=make.NOW)

        assert (held(usual), held(late)) == (3, 0)
        with pytest.raises(AlreadyDecided, match="No"):
            approve_reallocation(reallocation_id=found.pk, actor=lead, now=make.NOW)
