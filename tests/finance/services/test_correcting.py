"""Tests inventory/services/correcting and finance/services/_correcting.py, to the ledger."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django_fsm import TransitionNotAllowed

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.governance.selectors import approval_waiting_for
from erp.governance.services import (
    AlreadyDecided,
    DocumentChanged,
    NotYours,
    OwnRequest,
    approve,
    reject,
)
from erp.kernel.invariants import by_code, check
from erp.kernel.sql import run
from erp.outbox.models import Message
from finance.models import JournalEntry
from finance.selectors import INVARIANTS as MONEY
from finance.services import PeriodClosed, adjust_stock, post_correction
from inventory.models import Adjustment, Correction, Lot, Product, Stock, StockMove
from inventory.selectors import INVARIANTS as GOODS
from inventory.selectors import correction_fingerprints
from inventory.services import LotNeeded, NotThatMuch, StockAdjustment
from inventory.services.correcting import (
    BadCorrection,
    CorrectionDraft,
    CorrectionLineDraft,
    CorrectionReasonMissing,
    approve_correction,
    cancel_correction,
    follow_correction_approval,
    request_correction,
)
from tests.finance.factories import NOW, World, allocated, balance, close_month, product

LATER = NOW + timedelta(hours=1)


def broken() -> dict[str, int]:
    found = by_code([check(each) for each in [*GOODS, *MONEY]])
    return {code: count for code, count in found.items() if count}


def somebody(where: World, role: Role = Role.OPERATIONS_LEAD) -> User:
    user = User.objects.create_user(f"user-{User.objects.count()}")
    assign_role(user=user, entity=where.entity, role=role)
    return user


def line(goods: Product, quantity: str, **values: Any) -> CorrectionLineDraft:
    return CorrectionLineDraft(product_id=goods.pk, quantity=Decimal(quantity), **values)


def asked(
    where: World, *lines: CorrectionLineDraft, by: User | None = None, reason: str = "Dropped"
) -> Correction:
    draft = CorrectionDraft(
        entity_id=where.entity.pk, node_id=where.node.pk, reason=reason, lines=lines
    )
    return request_correction(draft=draft, actor=by, now=NOW)


def posted(correction: Correction, by: User | None = None) -> Correction:
    post_correction(correction_id=correction.pk, actor=by, now=LATER)
    return Correction.objects.get(pk=correction.pk)


def lying(goods: Product, status: str = "available") -> Decimal:
    found = Stock.objects.filter(product=goods, status=status).first()
    return found.on_hand if found else Decimal(0)


def set_aside(where: World, goods: Product, quantity: str, by: User | None = None) -> None:
    posted(asked(where, line(goods, quantity, to_status="quarantine"), by=by), by)


class TestRequestCorrection:
    @pytest.mark.parametrize(
        ("quantity", "state"), [("-125", "approved"), ("-125.005", "review"), ("126", "review")]
    )
    def test_asks_above_the_policy_s_limit(self, world: World, quantity: str, state: str) -> None:
        goods = product(world)  # at 2 each: the limit of an adjustment is 250

        correction = asked(world, line(goods, quantity))

        assert correction.state == state
        assert correction.value == round(abs(Decimal(quantity)) * 2, 2)
        assert lying(goods) == 1000
        assert not Adjustment.objects.filter(reason__startswith="AD-").exists()

    @pytest.mark.parametrize(("quantity", "state"), [("1250", "approved"), ("1251", "review")])
    def test_asks_about_much_set_aside(self, world: World, quantity: str, state: str) -> None:
        goods = product(world, on_hand="2000")

        assert asked(world, line(goods, quantity, to_status="damaged")).state == state

    def test_always_asks_before_something_is_let_go(self, world: World) -> None:
        goods = product(world)
        set_aside(world, goods, "1")

        back = asked(world, line(goods, "1", status="quarantine", to_status="available"))

        assert (back.state, back.is_release) == ("review", True)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"quantity": "0"}, "quantity"),
            ({"quantity": "0.0001"}, "quantity"),
            ({"quantity": "NaN"}, "quantity"),
            ({"quantity": "-1", "to_status": "damaged"}, "quantity"),
            ({"quantity": "1", "status": "in_transit"}, "status"),
            ({"quantity": "1", "to_status": "in_transit"}, "to_status"),
            ({"quantity": "1", "to_status": "available"}, "to_status"),
            ({"quantity": "-1", "unit_value": Decimal(3)}, "unit_value"),
            ({"quantity": "1", "unit_value": Decimal(-3)}, "unit_value"),
            ({"quantity": "1", "unit_value": Decimal(3), "to_status": "damaged"}, "unit_value"),
        ],
    )
    def test_refuses_what_makes_no_sense(
        self, world: World, values: dict[str, Any], field: str
    ) -> None:
        goods = product(world)

        with pytest.raises(BadCorrection) as refused, transaction.atomic():
            asked(world, line(goods, **values))

        assert refused.value.field == field
        assert not Correction.objects.exists()

    def test_refuses_without_reason_lines_or_one_kind(self, world: World) -> None:
        goods = product(world)
        mixed = [line(goods, "1"), line(goods, "1", to_status="damaged")]

        for lines, reason in (([line(goods, "1")], " "), ([], "Why"), (mixed, "Why")):
            with pytest.raises(BadCorrection), transaction.atomic():
                asked(world, *lines, reason=reason)

        assert not Correction.objects.exists()

    def test_names_lots_where_they_are_kept_and_only_there(self, world: World) -> None:
        milk = Product.objects.create(code="MILK", name="Milk", tracking="lot")
        pen = product(world)
        lot = Lot.objects.create(product=milk, code="A1", created_at=NOW)

        for draft in (line(milk, "1"), line(pen, "1", lot_id=lot.pk)):
            with pytest.raises(LotNeeded), transaction.atomic():
                asked(world, draft)
        other = Product.objects.create(code="CREAM", name="Cream", tracking="lot")
        with pytest.raises(BadCorrection), transaction.atomic():
            asked(world, line(other, "1", lot_id=lot.pk))
        done = posted(asked(world, line(milk, "3", lot_id=lot.pk, unit_value=Decimal(2))))

        assert done.state == "posted"
        assert Stock.objects.get(lot=lot).on_hand == 3
        assert broken() == {}


class TestApproveCorrection:
    def test_needs_somebody_else_with_the_right(self, world: World) -> None:
        goods = product(world)
        author = somebody(world)
        correction = asked(world, line(goods, "-500"), by=author)

        with pytest.raises(OwnRequest), transaction.atomic():
            approve_correction(correction_id=correction.pk, actor=author, now=LATER)
        with pytest.raises(NotYours), transaction.atomic():
            stranger = somebody(world, Role.WAREHOUSE)
            approve_correction(correction_id=correction.pk, actor=stranger, now=LATER)
        assert Correction.objects.get().state == "review"
        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            posted(correction)
        boss = somebody(world, Role.CONTROLLER)
        first = approve_correction(correction_id=correction.pk, actor=boss, now=LATER)
        again = approve_correction(correction_id=correction.pk, actor=boss, now=LATER)

        assert first.state == again.state == "approved"
        assert lying(goods) == 1000

    def test_who_put_goods_aside_does_not_agree_that_they_go_again(self, world: World) -> None:
        goods = product(world)
        lead, other = somebody(world), somebody(world)
        set_aside(world, goods, "5", by=lead)
        back = asked(
            world,
            line(goods, "5", status="quarantine", to_status="available"),
            by=somebody(world, Role.WAREHOUSE),
        )

        with pytest.raises(OwnRequest), transaction.atomic():
            approve_correction(correction_id=back.pk, actor=lead, now=LATER)
        assert lying(goods, "quarantine") == 5
        approve_correction(correction_id=back.pk, actor=other, now=LATER)
        posted(back, lead)

        assert (lying(goods), lying(goods, "quarantine")) == (1000, 0)
        assert broken() == {}

    def test_who_asked_to_set_aside_counts_as_who_put_it_there(self, world: World) -> None:
        goods = product(world)
        lead, poster = somebody(world), somebody(world)
        posted(asked(world, line(goods, "5", to_status="inspection"), by=lead), poster)
        back = asked(world, line(goods, "1", status="inspection", to_status="available"))

        for person in (lead, poster):
            with pytest.raises(OwnRequest), transaction.atomic():
                approve_correction(correction_id=back.pk, actor=person, now=LATER)

    def test_what_left_again_bars_nobody(self, world: World) -> None:
        goods = product(world)
        first, second = somebody(world), somebody(world)
        set_aside(world, goods, "5", by=first)
        posted(asked(world, line(goods, "-5", status="quarantine"), by=second), second)
        set_aside(world, goods, "2", by=second)
        back = asked(world, line(goods, "2", status="quarantine", to_status="available"))

        done = approve_correction(correction_id=back.pk, actor=first, now=LATER)

        assert done.state == "approved"

    def test_refuses_when_somebody_else_put_more_aside_since(self, world: World) -> None:
        goods = product(world)
        set_aside(world, goods, "5", by=somebody(world))
        back = asked(world, line(goods, "5", status="quarantine", to_status="available"))
        late = somebody(world)
        set_aside(world, goods, "5", by=late)

        with pytest.raises(DocumentChanged), transaction.atomic():
            approve_correction(correction_id=back.pk, actor=late, now=LATER)

        assert Correction.objects.get(pk=back.pk).state == "review"

    def test_nobody_is_asked_twice(self, world: World) -> None:
        correction = asked(world, line(product(world), "-1"))

        with pytest.raises((AlreadyDecided, TransitionNotAllowed)), transaction.atomic():
            approve_correction(correction_id=correction.pk, actor=somebody(world), now=LATER)


class TestFollowApproval:
    def decided(self, correction: Correction, verdict: str, by: User) -> None:
        waiting = approval_waiting_for(document_kind="inventory.correction",
                                       document_id=correction.pk)  # fmt: skip
        assert waiting is not None
        present = correction_fingerprints([correction.pk])[correction.pk]
        if verdict == "approved":
            approve(approval_id=waiting.id, actor=by, fingerprint=present, now=LATER)
        else:
            reject(approval_id=waiting.id, actor=by, reason="Look", now=LATER)
        follow_correction_approval(
            correction_id=correction.pk,
            state=verdict,
            decided_by=by,
            fingerprint=waiting.fingerprint,
            reason="Look" if verdict == "rejected" else "",
            now=LATER,
        )

    @pytest.mark.parametrize(
        ("verdict", "state"), [("approved", "approved"), ("rejected", "cancelled")]
    )
    def test_does_what_was_decided_in_the_inbox(
        self, world: World, verdict: str, state: str
    ) -> None:
        correction = asked(world, line(product(world), "-500"))

        self.decided(correction, verdict, somebody(world, Role.CONTROLLER))

        assert Correction.objects.get().state == state

    def test_calls_off_what_is_no_longer_what_was_agreed(self, world: World) -> None:
        goods = product(world)
        set_aside(world, goods, "5", by=somebody(world))
        back = asked(world, line(goods, "5", status="quarantine", to_status="available"))
        set_aside(world, goods, "5", by=somebody(world))

        follow_correction_approval(
            correction_id=back.pk,
            state="approved",
            decided_by=None,
            fingerprint="as it was",
            reason="",
            now=LATER,
        )

        assert Correction.objects.get(pk=back.pk).state == "cancelled"
        assert lying(goods, "quarantine") == 10


class TestPostCorrection:
    def test_corrects_stock_and_ledger_once(self, world: World) -> None:
        goods, other = product(world), product(world, on_hand="10")
        before = balance(world, "inventory")
        correction = asked(world, line(goods, "-10"), line(other, "2", unit_value=Decimal("1.005")))

        done = post_correction(correction_id=correction.pk, actor=None, now=LATER)
        again = post_correction(correction_id=correction.pk, actor=None, now=LATER)

        assert (done.found, done.lost) == (Decimal("2.01"), Decimal(20))
        assert (again.found, again.lost) == (0, 0)
        assert (lying(goods), lying(other)) == (990, 12)
        assert balance(world, "inventory") - before == Decimal("-17.99")
        assert JournalEntry.objects.filter(kind="adjustment").count() == 1
        assert broken() == {}

    def test_moves_a_status_without_a_word_to_the_ledger(self, world: World) -> None:
        goods = product(world)
        entries = JournalEntry.objects.count()

        set_aside(world, goods, "40")

        assert (lying(goods), lying(goods, "quarantine")) == (960, 40)
        assert JournalEntry.objects.count() == entries
        moves = StockMove.objects.filter(cause_kind="inventory.correctionline")
        assert sorted(moves.values_list("quantity", "value")) == [(-40, 0), (40, 0)]
        fell = Message.objects.filter(name="inventory.stock_fell").latest("id").payload
        assert fell["product_ids"] == str(goods.pk)
        assert broken() == {}

    def test_lets_goods_go_and_says_that_they_came(self, world: World) -> None:
        goods = product(world)
        set_aside(world, goods, "40")
        back = asked(world, line(goods, "15", status="quarantine", to_status="available"))
        approve_correction(correction_id=back.pk, actor=somebody(world), now=LATER)

        posted(back)

        came = Message.objects.filter(name="inventory.stock_received").latest("id").payload
        assert (came["product_id"], Decimal(came["quantity"])) == (goods.pk, 15)
        assert (lying(goods), lying(goods, "quarantine")) == (975, 25)
        assert broken() == {}

    @pytest.mark.parametrize("way", [{"quantity": "-4"}, {"quantity": "4", "to_status": "damaged"}])
    def test_takes_nothing_that_is_kept_for_somebody(
        self, world: World, way: dict[str, str]
    ) -> None:
        goods = product(world, on_hand="10")
        allocated(world, (goods, "7", "5"))
        correction = asked(world, line(goods, **way))

        with pytest.raises(NotThatMuch), transaction.atomic():
            posted(correction)

        assert Correction.objects.get(pk=correction.pk).state == "approved"
        assert (lying(goods), lying(goods, "damaged")) == (10, 0)
        assert broken() == {}

    def test_refuses_a_closed_month_and_leaves_nothing_behind(self, world: World) -> None:
        goods = product(world)
        correction = asked(world, line(goods, "-1"))
        close_month("2026-11-01")

        with pytest.raises(PeriodClosed), transaction.atomic():
            posted(correction)

        assert Correction.objects.get(pk=correction.pk).state == "approved"
        assert lying(goods) == 1000

    def test_keeps_layers_where_a_status_changes(self, world: World) -> None:
        from inventory.models import CostLayer, ProductCost  # noqa: PLC0415

        goods = product(world, on_hand="0")
        ProductCost.objects.create(entity=world.entity, product=goods, method="fifo")
        found = StockAdjustment(
            entity_id=world.entity.pk,
            node_id=world.node.pk,
            product_id=goods.pk,
            quantity=Decimal(8),
            unit_value=Decimal(3),
            reason="Found",
        )
        adjust_stock(adjustments=[found], kind="adjustment", actor=None, now=NOW)

        set_aside(world, goods, "5")
        posted(asked(world, line(goods, "-2", status="quarantine")))

        assert [each.quantity_left for each in CostLayer.objects.all()] == [6]
        assert broken() == {}

    def test_the_database_knows_no_correction_of_nothing(self, world: World) -> None:
        correction = asked(world, line(product(world), "-1"))

        for change in ("quantity = 0", "status = 'in_transit'", "to_status = status"):
            with pytest.raises(IntegrityError), transaction.atomic():
                run(
                    f"UPDATE inventory_correctionline SET {change} WHERE correction_id = %s",  # noqa: S608
                    [correction.pk],
                )


class TestCancelCorrection:
    def test_says_why_and_asks_nobody_any_more(self, world: World) -> None:
        correction = asked(world, line(product(world), "-500"))

        with pytest.raises(CorrectionReasonMissing), transaction.atomic():
            cancel_correction(correction_id=correction.pk, reason=" ", actor=None, now=LATER)
        for _ in range(2):
            done = cancel_correction(
                correction_id=correction.pk, reason="Found again", actor=None, now=LATER
            )

        assert (done.state, done.cancel_reason) == ("cancelled", "Found again")
        assert (
            approval_waiting_for(document_kind="inventory.correction", document_id=correction.pk)
            is None
        )

    def test_what_is_posted_stays(self, world: World) -> None:
        correction = posted(asked(world, line(product(world), "-1")))

        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            cancel_correction(correction_id=correction.pk, reason="No", actor=None, now=LATER)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_one_correction_is_posted_once_and_no_more_is_moved_than_is_free(
        self, world: World
    ) -> None:
        goods = product(world, on_hand="10")
        corrections = [asked(world, line(goods, "4", to_status="damaged")).pk for _ in range(4)]

        def try_to(correction_id: int) -> str:
            try:
                post_correction(correction_id=correction_id, actor=None, now=LATER)
            except NotThatMuch:
                return "refused"
            finally:
                connection.close()
            return "done"

        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(try_to, corrections * 2))

        assert Correction.objects.filter(state="posted").count() == 2
        assert said.count("refused") >= 2
        assert (lying(goods), lying(goods, "damaged")) == (2, 8)
        assert broken() == {}
