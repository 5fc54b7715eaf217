"""Tests inventory/services/transferring: asking, agreeing, picking, calling off."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django_fsm import TransitionNotAllowed

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.governance.models import Approval, AuditEntry
from erp.governance.selectors import approval_waiting_for
from erp.governance.services import OwnRequest, approve, reject
from erp.kernel.invariants import by_code, check
from inventory.models import Inbound, Lane, Reservation, Stock, Transfer, TransferPiece
from inventory.selectors import INVARIANTS, transfer_fingerprints
from inventory.services.transferring import (
    BadTransfer,
    BadTransferPick,
    CancelReasonMissing,
    TransferDraft,
    TransferPick,
    TransferShort,
    approve_transfer,
    cancel_transfer,
    pick_transfers,
    request_transfers,
)
from tests.inventory.factories import NOW, company, node, product, stocked

pytestmark = pytest.mark.django_db


def draft(*lines: tuple[Any, str], **values: Any) -> TransferDraft:
    defaults: dict[str, Any] = {
        "entity_id": company().pk,
        "origin_id": node("DC-A").pk,
        "destination_id": node("DC-B").pk,
        "lines": [(each.pk, Decimal(quantity)) for each, quantity in lines],
        "reason": "Runs out there",
    }
    return TransferDraft(**defaults | values)


def ask(*lines: tuple[Any, str], actor: User | None = None, **values: Any) -> Transfer:
    return request_transfers(drafts=[draft(*lines, **values)], actor=actor, now=NOW)[0]


def person(name: str, *roles: Role) -> User:
    user = User.objects.create_user(name)
    for role in roles:
        assign_role(user=user, entity=company(), role=role)
    return user


def broken() -> dict[str, int]:
    return {c: n for c, n in by_code([check(each) for each in INVARIANTS]).items() if n}


def picked(transfer: Transfer, *shorts: TransferShort) -> list[Transfer]:
    picks = [TransferPick(transfer_id=transfer.pk, shorts=shorts)]
    return pick_transfers(picks=picks, actor=None, now=NOW)


class TestRequestTransfers:
    def test_keeps_the_goods_of_a_small_one_at_once(self) -> None:
        goods = product()
        stock = stocked(goods, 10, node=node("DC-A"))

        transfer = ask((goods, "4"))

        assert (transfer.state, transfer.value) == ("approved", Decimal(8))
        assert Stock.objects.get(pk=stock.pk).reserved == 4
        coming = Inbound.objects.get()
        assert (coming.node, coming.quantity) == (node("DC-B"), 4)
        assert broken() == {}

    def test_expects_it_by_the_lane_s_working_days(self) -> None:
        Lane.objects.create(
            origin=node("DC-A"), destination=node("DC-B"), days=3, cost=40, currency="USD"
        )

        transfer = ask((product(), "1"))  # asked on a Sunday: leaves on Tuesday

        assert f"{transfer.expected_date:%a %d}" == "Fri 27"

    @pytest.mark.parametrize(("quantity", "state"), [("2500", "approved"), ("2500.5", "requested")])
    def test_asks_somebody_above_the_limit(self, quantity: str, state: str) -> None:
        goods = product()
        stock = stocked(goods, 9_000, node=node("DC-A"))

        transfer = ask((goods, quantity))

        assert transfer.state == state
        assert Approval.objects.filter(state="pending").exists() == (state == "requested")
        assert Stock.objects.get(pk=stock.pk).reserved == (2500 if state == "approved" else 0)
        assert Inbound.objects.exists() == (state == "approved")

    def test_always_asks_about_a_sale(self) -> None:
        assert ask((product(), "1"), to_entity_id=company("DE01", "EUR").pk).state == "requested"

    def test_answers_the_same_key_with_the_same_transfer(self) -> None:
        goods = product()
        stocked(goods, 10, node=node("DC-A"))

        first = ask((goods, "4"), client_key="k-1")
        again = ask((goods, "5"), client_key="k-1")

        assert again.pk == first.pk
        assert Transfer.objects.count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"destination_id": "origin"}, "destination"),
            ({"origin_id": 10**9}, "origin"),
            ({"to_entity_id": 10**9}, "to_entity"),
            ({"reason": "  "}, "reason"),
            ({"lines": []}, "lines"),
            ({"lines": [(10**9, Decimal(1))]}, "lines.0.product"),
        ],
    )
    def test_refuses_what_leads_nowhere(self, values: dict[str, Any], field: str) -> None:
        if values.get("destination_id") == "origin":
            values = {"destination_id": node("DC-A").pk}

        with pytest.raises(BadTransfer) as refused, transaction.atomic():
            ask((product(), "1"), **values)

        assert refused.value.field == field
        assert not Transfer.objects.exists()

    @pytest.mark.parametrize("quantity", ["0", "-1", "0.0001"])
    def test_refuses_quantities_that_cannot_be(self, quantity: str) -> None:
        with pytest.raises(BadTransfer), transaction.atomic():
            ask((product(), quantity))

        assert not Transfer.objects.exists()


class TestApproveTransfer:
    def test_is_somebody_else_s_word(self) -> None:
        goods = product()
        stocked(goods, 9_000, node=node("DC-A"))
        lead = person("lead", Role.OPERATIONS_LEAD)
        transfer = ask((goods, "3000"), actor=lead)

        with pytest.raises(OwnRequest), transaction.atomic():
            approve_transfer(transfer_id=transfer.pk, actor=lead, now=NOW)
        other = person("other", Role.OPERATIONS_LEAD)
        done = approve_transfer(transfer_id=transfer.pk, actor=other, now=NOW)
        again = approve_transfer(transfer_id=transfer.pk, actor=other, now=NOW)

        assert (done.state, again.state) == ("approved", "approved")
        assert Reservation.objects.get(closed_at=None).quantity == 3000
        assert AuditEntry.objects.filter(action="inventory.approve_transfer").count() == 1
        assert broken() == {}

    @pytest.mark.parametrize(("verdict", "state"), [("approve", "approved"), ("no", "cancelled")])
    def test_follows_what_was_decided_in_the_inbox(
        self, verdict: str, state: str, deliver_all: Callable[[], int]
    ) -> None:
        goods = product()
        stocked(goods, 9_000, node=node("DC-A"))
        transfer = ask((goods, "3000"), actor=person("asker", Role.PLANNER))
        waiting = approval_waiting_for(document_kind="inventory.transfer", document_id=transfer.pk)
        assert waiting is not None
        lead = person("lead", Role.OPERATIONS_LEAD)

        if verdict == "approve":
            present = transfer_fingerprints([transfer.pk])[transfer.pk]
            approve(approval_id=waiting.id, actor=lead, fingerprint=present, now=NOW)
        else:
            reject(approval_id=waiting.id, actor=lead, reason="Buy it there", now=NOW)
        deliver_all()

        assert Transfer.objects.get().state == state
        assert broken() == {}


class TestPickTransfers:
    def test_takes_what_is_kept_and_tries_once_more_for_the_rest(self) -> None:
        goods = product()
        stocked(goods, 3, node=node("DC-A"))
        transfer = ask((goods, "5"))
        stocked(goods, 1, node=node("DC-A"))

        picked(transfer)

        assert Transfer.objects.get().state == "picked"
        assert TransferPiece.objects.get().quantity == 4
        assert Inbound.objects.get().quantity == 4
        assert broken() == {}

    def test_sets_aside_what_was_not_found(self) -> None:
        goods = product()
        stocked(goods, 10, node=node("DC-A"))
        transfer = ask((goods, "5"))
        line = transfer.lines.get()

        picked(transfer, TransferShort(line_id=line.pk, picked=Decimal(3), reason="damaged"))

        assert TransferPiece.objects.get().quantity == 3
        assert Stock.objects.get(status="damaged").on_hand == 2
        kept = Stock.objects.get(status="available", node=node("DC-A"))
        assert (kept.on_hand, kept.reserved) == (8, 3)
        assert broken() == {}

    def test_calls_off_what_was_not_found_at_all(self) -> None:
        goods = product()
        stocked(goods, 10, node=node("DC-A"))
        transfer = ask((goods, "5"))
        line = transfer.lines.get()

        picked(transfer, TransferShort(line_id=line.pk, picked=Decimal(0), reason="not_found"))

        assert Transfer.objects.get().state == "cancelled"
        assert Stock.objects.get(status="inspection").on_hand == 5
        assert not Inbound.objects.exists()
        assert broken() == {}

    def test_refuses_to_pick_nothing(self) -> None:
        transfer = ask((product(), "5"))

        with pytest.raises(BadTransferPick), transaction.atomic():
            picked(transfer)

        assert Transfer.objects.get().state == "approved"

    @pytest.mark.parametrize(
        ("found", "reason"), [("6", "damaged"), ("-1", "damaged"), ("4", ""), ("4", "eaten")]
    )
    def test_refuses_what_cannot_be(self, found: str, reason: str) -> None:
        goods = product()
        stocked(goods, 10, node=node("DC-A"))
        transfer = ask((goods, "5"))
        short = TransferShort(line_id=transfer.lines.get().pk, picked=Decimal(found), reason=reason)

        with pytest.raises(BadTransferPick), transaction.atomic():
            picked(transfer, short)

        assert not TransferPiece.objects.exists()
        assert broken() == {}

    def test_is_not_possible_before_somebody_agreed(self) -> None:
        goods = product()
        stocked(goods, 9_000, node=node("DC-A"))
        transfer = ask((goods, "3000"))

        with pytest.raises(TransitionNotAllowed), transaction.atomic():
            picked(transfer)

        assert not TransferPiece.objects.exists()


class TestCancelTransfer:
    def test_gives_back_what_was_kept(self) -> None:
        goods = product()
        stock = stocked(goods, 10, node=node("DC-A"))
        transfer = ask((goods, "4"))
        picked(transfer)

        cancel_transfer(transfer_id=transfer.pk, reason="Sold here", actor=None, now=NOW)
        again = cancel_transfer(transfer_id=transfer.pk, reason="", actor=None, now=NOW)

        assert again.cancel_reason == "Sold here"
        assert Stock.objects.get(pk=stock.pk).reserved == 0
        assert not Inbound.objects.exists()
        assert broken() == {}

    def test_withdraws_the_question(self) -> None:
        goods = product()
        stocked(goods, 9_000, node=node("DC-A"))
        transfer = ask((goods, "3000"))

        cancel_transfer(transfer_id=transfer.pk, reason="Not needed", actor=None, now=NOW)

        assert not Approval.objects.filter(state="pending").exists()

    def test_wants_a_reason(self) -> None:
        transfer = ask((product(), "4"))

        with pytest.raises(CancelReasonMissing), transaction.atomic():
            cancel_transfer(transfer_id=transfer.pk, reason=" ", actor=None, now=NOW)

        assert Transfer.objects.get().state == "approved"
