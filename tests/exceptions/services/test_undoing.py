"""exceptions/services/_undoing.py"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from erp.accounts.models import Entity
from erp.governance.models import AuditEntry
from erp.kernel.errors import DomainError
from exceptions.models import ExceptionCase, PlayRun
from exceptions.services import (
    CannotUndo,
    GateClosed,
    NothingSaid,
    NothingToUndo,
    TooLateToUndo,
    run_play,
    undo_play,
)
from exceptions.services._undoing import UNDOERS
from inventory.models import Stock, Transfer
from orders.models import Hold, OrderLine
from procurement.models import PurchaseOrder, PurchaseOrderLine
from tests.exceptions import factories
from tests.exceptions.scenes import SCENES
from tests.exceptions.services.test_every_play import Injected, PullsThePlug, digest

REASON = "It was the wrong way"


@pytest.mark.parametrize("key", sorted(UNDOERS))
class TestEveryUndo:
    def test_opens_the_case_again_and_keeps_the_run(self, key: str, entity: Entity) -> None:
        case, who, now = SCENES[key]()
        run_play(case_id=case.pk, key=key, actor=who, now=now)

        undo_play(case_id=case.pk, key=key, reason=REASON, actor=who, now=now)
        before = digest()
        undo_play(case_id=case.pk, key=key, reason=REASON, actor=who, now=now)

        assert digest() == before  # undoing again changes nothing
        run = PlayRun.objects.get(case=case)
        assert (run.undone_by, run.undo_reason) == (who, REASON)
        assert AuditEntry.objects.filter(action="exceptions.undo_play").count() == 1
        if key in {"release", "honour_contract", "reprice"}:  # another hold, with its own case
            assert Hold.objects.filter(order=case.order_id, state="active").count() == 1
        else:
            assert ExceptionCase.objects.get(pk=case.pk).state in ExceptionCase.LIVE

    def test_that_fails_at_any_write_leaves_everything_as_it_was(
        self, key: str, entity: Entity
    ) -> None:
        case, who, now = SCENES[key]()
        run_play(case_id=case.pk, key=key, actor=who, now=now)
        before = digest()

        for step in range(500):
            plug = PullsThePlug(after=step)
            try:
                with connection.execute_wrapper(plug):
                    undo_play(case_id=case.pk, key=key, reason=REASON, actor=who, now=now)
            except Injected:
                assert digest() == before, f"something stayed after write {step} failed"
            if not plug.has_failed:
                break

        assert not plug.has_failed
        assert PlayRun.objects.get(case=case).undone_at == now


class TestUndoPlay:
    def test_calls_a_purchase_off(self, entity: Entity) -> None:
        case, who, now = SCENES["buy"]()
        run = run_play(case_id=case.pk, key="buy", actor=who, now=now)
        assert isinstance(run, PlayRun)

        undo_play(case_id=case.pk, key="buy", reason=REASON, actor=who, now=now)

        assert PurchaseOrder.objects.get(pk=run.made["purchase_id"]).state == "cancelled"

    def test_calls_a_transfer_off_and_frees_its_goods(self, entity: Entity) -> None:
        case, who, now = SCENES["transfer"]()
        run = run_play(case_id=case.pk, key="transfer", actor=who, now=now)
        assert isinstance(run, PlayRun)
        held = sum(Stock.objects.values_list("reserved", flat=True))

        undo_play(case_id=case.pk, key="transfer", reason=REASON, actor=who, now=now)

        assert (held, sum(Stock.objects.values_list("reserved", flat=True))) == (20, 0)
        assert Transfer.objects.get(pk=run.made["transfer_id"]).state == "cancelled"

    def test_stops_a_released_order_again(self, entity: Entity) -> None:
        case, who, now = SCENES["release"]()
        run_play(case_id=case.pk, key="release", actor=who, now=now)

        undo_play(case_id=case.pk, key="release", reason=REASON, actor=who, now=now)

        assert Hold.objects.get(order=case.order_id, state="active").kind == "manual"

    def test_gives_lines_their_former_price_and_days(self, entity: Entity) -> None:
        case, who, now = SCENES["reprice"]()
        run_play(case_id=case.pk, key="reprice", actor=who, now=now)
        assert OrderLine.objects.get(order=case.order_id).unit_price == 12
        undo_play(case_id=case.pk, key="reprice", reason=REASON, actor=who, now=now)
        late, who, now = SCENES["accept_late"]()
        day = PurchaseOrderLine.objects.get(order=late.subject_id).expected_date
        run_play(case_id=late.pk, key="accept_late", actor=who, now=now)
        undo_play(case_id=late.pk, key="accept_late", reason=REASON, actor=who, now=now)

        assert OrderLine.objects.get(order=case.order_id).unit_price == 8
        assert PurchaseOrderLine.objects.get(order=late.subject_id).expected_date == day

    def test_refuses_what_is_final_late_unsaid_or_not_theirs(self, entity: Entity) -> None:
        case, who, now = SCENES["cancel_line"]()
        run_play(case_id=case.pk, key="cancel_line", actor=who, now=now)
        other, who, now = SCENES["buy"]()
        run_play(case_id=other.pk, key="buy", actor=who, now=now)
        wrong = factories.person("cora", "credit")
        before = digest()
        late = now + timedelta(hours=24, seconds=1)

        for case_id, key, reason, actor, at, refusal in (
            (case.pk, "cancel_line", REASON, who, now, CannotUndo),
            (other.pk, "buy", REASON, who, late, TooLateToUndo),
            (other.pk, "buy", " ", who, now, NothingSaid),
            (other.pk, "buy", REASON, wrong, now, GateClosed),
            (other.pk, "split", REASON, who, now, NothingToUndo),
        ):
            with pytest.raises(refusal):
                undo_play(case_id=case_id, key=key, reason=reason, actor=actor, now=at)

        assert digest() == before
        undo_play(
            case_id=other.pk, key="buy", reason=REASON, actor=who, now=now + timedelta(hours=24)
        )


@pytest.mark.django_db(transaction=True)
def test_two_who_undo_at_once_undo_it_once() -> None:
    factories.policies()
    case, who, now = SCENES["backorder"]()
    run_play(case_id=case.pk, key="backorder", actor=who, now=now)

    def undo(_: int) -> str:
        try:
            undo_play(case_id=case.pk, key="backorder", reason=REASON, actor=who, now=now)
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(4) as hands:
        said = list(hands.map(undo, range(4)))

    assert said == [""] * 4  # undoing again changes nothing
    assert AuditEntry.objects.filter(action="exceptions.undo_play").count() == 1
    assert PlayRun.objects.filter(case=case).count() == 1
    assert ExceptionCase.objects.get(pk=case.pk).state in ExceptionCase.LIVE


@pytest.mark.django_db(transaction=True)
def test_an_undo_beside_another_way_out_leaves_one_true_story() -> None:
    factories.policies()
    case, who, now = SCENES["redate"]()
    run_play(case_id=case.pk, key="backorder", actor=who, now=now)

    def press(act: Callable[[], object]) -> str:
        try:
            act()
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return ""

    acts: list[Callable[[], object]] = [
        lambda: undo_play(case_id=case.pk, key="backorder", reason=REASON, actor=who, now=now),
        lambda: run_play(case_id=case.pk, key="redate", actor=who, now=now),
    ]
    with ThreadPoolExecutor(2) as hands:
        undone, ran = hands.map(press, acts)

    # The case was over when the second way out came first; after the undo it may be taken.
    assert undone == ""
    assert ran in {"", "case_closed"}
    live = ExceptionCase.objects.get(pk=case.pk).state in ExceptionCase.LIVE
    assert live is (ran == "case_closed")
    assert PlayRun.objects.get(case=case, key="backorder").undone_at is not None
    assert PlayRun.objects.filter(case=case, key="redate").count() == (0 if ran else 1)
