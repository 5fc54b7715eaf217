"""orders/services/agreeing: what makes an agreement, what is planned of it, how it ends."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from orders.models import Blanket, CallOff, Order
from orders.services import CustomerNotServed, UnknownProduct
from orders.services.agreeing import (
    BadAgreement,
    BlanketDraft,
    BlanketLineDraft,
    CallOffDraft,
    CallOffPart,
    NotActive,
    activate_blanket,
    announce_endings,
    call_off,
    drop_call_off,
    end_blanket,
    make_due_call_offs,
    retry_call_off,
    schedule_call_offs,
    write_blanket,
)
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
DAYS = 60
END = make.TODAY + timedelta(days=DAYS)
WHO: dict[str, Any] = {"actor": None, "now": make.NOW}


def wish(**values: Any) -> BlanketDraft:
    line = {"product_id": make.priced("10").pk, "quantity": Decimal(100)}
    names = ("quantity", "value", "tolerance", "unit_price", "product_id")
    line |= {name: values.pop(name) for name in names if name in values}
    account = values.pop("account", None) or make.account()
    defaults: dict[str, Any] = {
        "entity_id": account.entity_id,
        "customer_id": account.customer_id,
        "valid_from": make.TODAY,
        "valid_until": END,
        "lines": [BlanketLineDraft(**line)],
    }
    return BlanketDraft(**defaults | values)


def written(**values: Any) -> Blanket:
    return write_blanket(draft=wish(**values), **WHO)


def active(**values: Any) -> Blanket:
    return activate_blanket(blanket_id=written(**values).pk, **WHO)


def delivery(of: Blanket, *, order: int = 0, due: int = 5, quantity: str = "10") -> CallOff:
    days = (make.TODAY + timedelta(days=due), make.TODAY + timedelta(days=order))
    draft = CallOffDraft(1, days[0], Decimal(quantity), days[1])
    return schedule_call_offs(blanket_id=of.pk, call_offs=[draft], **WHO)[0]


class TestWriteBlanket:
    def test_the_same_key_is_the_same_agreement(self) -> None:
        account = make.account()

        first = written(account=account, client_key="k")
        again = written(account=account, client_key="k", quantity=Decimal(7))

        assert first.pk == again.pk
        assert again.lines.get().quantity == 100
        assert AuditEntry.objects.filter(action="orders.write_blanket").count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"valid_until": make.TODAY - timedelta(days=1)}, "valid_until"),
            ({"lines": []}, "lines"),
            ({"quantity": None}, "lines[0].quantity"),
            ({"quantity": Decimal(0)}, "lines[0].quantity"),
            ({"quantity": Decimal("0.0001")}, "lines[0].quantity"),
            ({"value": Decimal("0.00001")}, "lines[0].value"),
            ({"unit_price": Decimal(-1)}, "lines[0].price"),
            ({"tolerance": Decimal("1.000001")}, "lines[0].tolerance"),
        ],
    )
    def test_refuses_what_makes_no_agreement_and_names_the_field(self, values, field) -> None:
        with pytest.raises(BadAgreement) as refused:
            written(**values)

        assert refused.value.errors[0]["field"] == field
        assert not Blanket.objects.exists()

    def test_takes_one_day_a_free_price_and_full_tolerance(self) -> None:
        least = {"unit_price": Decimal(0), "quantity": Decimal("0.001"), "tolerance": Decimal(1)}
        made = written(valid_until=make.TODAY, **least)

        assert (made.valid_from, made.valid_until, made.state) == (make.TODAY, make.TODAY, "draft")

    def test_refuses_a_stranger_and_an_unknown_product(self) -> None:
        with pytest.raises(CustomerNotServed):
            written(customer_id=0)
        with pytest.raises(UnknownProduct):
            written(product_id=0)

        assert not Blanket.objects.exists()


class TestScheduleCallOffs:
    @pytest.mark.parametrize(
        ("order", "due", "quantity", "position"),
        [(6, 5, "1", 1), (-1, 5, "1", 1), (0, DAYS + 1, "1", 1), (0, 5, "0", 1), (0, 5, "1", 2)],
    )
    def test_refuses_what_lies_outside(self, order, due, quantity, position) -> None:
        blanket = active()
        days = [make.TODAY + timedelta(days=each) for each in (due, order)]

        with pytest.raises(BadAgreement):
            schedule_call_offs(
                blanket_id=blanket.pk,
                call_offs=[CallOffDraft(position, days[0], Decimal(quantity), days[1])],
                **WHO,
            )

        assert not CallOff.objects.exists()

    def test_takes_the_first_and_the_last_day(self) -> None:
        assert delivery(active(), order=0, due=DAYS).due_date == END


class TestEndBlanket:
    def test_drops_what_is_planned_and_keeps_the_orders(self) -> None:
        blanket = active()
        part = CallOffPart(blanket.lines.get().pk, Decimal(30))
        call_off(blanket_id=blanket.pk, parts=[part], **WHO)
        row = delivery(blanket, order=3)

        end_blanket(blanket_id=blanket.pk, reason="Both agreed", **WHO)
        end_blanket(blanket_id=blanket.pk, reason="Again", **WHO)

        told = Message.objects.get(name="orders.blanket_ended")
        assert told.payload["open"] == "70.000"
        assert Blanket.objects.get().end_reason == "Both agreed"
        assert (CallOff.objects.get(pk=row.pk).state, Order.objects.count()) == ("dropped", 1)


class TestFailedCallOffs:
    def failed(self) -> CallOff:
        blanket = active()
        row = delivery(blanket, quantity="101")
        make_due_call_offs(now=make.NOW)
        return CallOff.objects.get(pk=row.pk)

    def test_is_tried_again_at_once_and_fails_again_with_its_reason(self) -> None:
        row = self.failed()
        assert (row.state, bool(row.failure)) == ("failed", True)

        again = retry_call_off(call_off_id=row.pk, **WHO)

        assert (again.state, again.failure) == ("failed", row.failure)
        assert not Order.objects.exists()

    def test_is_made_once_its_cause_is_gone(self) -> None:
        row = self.failed()
        CallOff.objects.filter(pk=row.pk).update(quantity=Decimal(100))

        made = retry_call_off(call_off_id=row.pk, **WHO)
        same = retry_call_off(call_off_id=row.pk, **WHO)

        assert (made.state, made.failure, same.order_id) == ("ordered", "", made.order_id)
        assert Order.objects.count() == 1

    def test_waits_for_its_day(self) -> None:
        blanket = active()
        row = delivery(blanket, order=2, quantity="5")
        CallOff.objects.filter(pk=row.pk).update(state="failed", failure="x")

        assert retry_call_off(call_off_id=row.pk, **WHO).state == "planned"
        assert not Order.objects.exists()

    def test_is_not_tried_after_the_end_but_may_be_dropped_before(self) -> None:
        row = self.failed()

        assert drop_call_off(call_off_id=row.pk, **WHO).state == "dropped"
        assert drop_call_off(call_off_id=row.pk, **WHO).state == "dropped"
        end_blanket(blanket_id=row.line.blanket_id, reason="x", **WHO)
        with pytest.raises(NotActive):
            retry_call_off(call_off_id=row.pk, **WHO)

    def test_what_was_made_is_not_dropped(self) -> None:
        row = delivery(active(), quantity="5")
        make_due_call_offs(now=make.NOW)

        assert drop_call_off(call_off_id=row.pk, **WHO).state == "ordered"


class TestAnnounceEndings:
    def told(self) -> list[int]:
        found = Message.objects.filter(name="orders.blanket_ending").order_by("id")
        return [each.payload["days_left"] for each in found]

    def test_at_thirty_seven_and_one_days_once_each(self) -> None:
        blanket = active()

        for left in (31, 30, 29, 8, 7, 6, 2, 1, 0, -1):
            for _twice in range(2):
                announce_endings(now=make.NOW + timedelta(days=DAYS - left))

        assert self.told() == [30, 7, 1]
        assert Blanket.objects.get().noticed_days == 1
        entries = AuditEntry.objects.filter(action="orders.announce_end")
        assert {each.thread for each in entries} == {f"orders.blanket:{blanket.pk}"}

    def test_a_late_start_tells_the_nearest_only(self) -> None:
        active()

        announce_endings(now=make.NOW + timedelta(days=DAYS - 5))

        assert self.told() == [5]
        assert Message.objects.get(name="orders.blanket_ending").payload["open"] == "100.000"

    def test_says_nothing_of_a_draft_or_of_what_is_used_up(self) -> None:
        written()
        blanket = active()
        part = CallOffPart(blanket.lines.get().pk, Decimal(100))
        call_off(blanket_id=blanket.pk, parts=[part], **WHO)

        assert announce_endings(now=make.NOW + timedelta(days=DAYS - 5)) == []
