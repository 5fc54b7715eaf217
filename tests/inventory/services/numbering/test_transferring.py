"""inventory/services/numbering/_transferring.py: the pieces that were sent are those that come"""

from decimal import Decimal

import pytest
from django.db import transaction

from inventory.models import Serial, Stock, Transfer
from inventory.services import adjust_stock
from inventory.services.numbering import BadSerial, SerialsNeeded
from inventory.services.transferring import (
    Came,
    Terms,
    TransferPick,
    TransferShort,
    cancel_transfer,
    pick_transfers,
    receive_transfer,
    send_transfers,
)
from tests.inventory.factories import NOW, company, node, stocked
from tests.inventory.services.binning.test_moving import checked
from tests.inventory.services.numbering.test_carrying import broken, drill, story, there
from tests.inventory.services.transferring.test_requesting import ask

pytestmark = pytest.mark.django_db


def pick(
    transfer: Transfer,
    *numbers: str,
    shorts: tuple[TransferShort, ...] = (),
    missing: tuple[str, ...] = (),
) -> None:
    line = transfer.lines.get().pk
    picks = [
        TransferPick(
            transfer_id=transfer.pk,
            shorts=shorts,
            serials={line: numbers},
            missing={line: missing},
        )
    ]
    with transaction.atomic():
        pick_transfers(picks=picks, actor=None, now=NOW)


def send(transfer: Transfer) -> None:
    terms = {transfer.pk: Terms(markup=Decimal(0), rate=Decimal(1))}
    send_transfers(transfer_ids=[transfer.pk], terms=terms, actor=None, now=NOW)


def receive(transfer: Transfer, *came: tuple[str, int, list[str]], is_last: bool = False) -> None:
    piece = transfer.lines.get().pieces.get().pk
    with transaction.atomic():
        done = receive_transfer(
            transfer_id=transfer.pk,
            came=[Came(piece, what, Decimal(quantity), names) for what, quantity, names in came],
            is_last=is_last,
            actor=None,
            now=NOW,
            note_text="As it stood on the dock",
        )
        adjust_stock(adjustments=done.corrections, kind="adjustment", actor=None, now=NOW)


def at(place: str, status: str = "available") -> list[str]:
    return there(Stock.objects.get(node__code=place, status=status))


class TestTransfers:
    def test_pieces_go_there_and_come(self) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"], node=node("DC-A"))
        transfer = ask((goods, "2"))

        pick(transfer, "B", "C")
        checked()
        send(transfer)
        checked()
        assert (at("DC-A"), at("DC-B", "in_transit")) == (["A"], ["B", "C"])
        with pytest.raises(SerialsNeeded):
            receive(transfer, ("received", 1, []))
        with pytest.raises(BadSerial, match=r"lies at DC-A"):
            receive(transfer, ("received", 1, ["A"]))
        receive(transfer, ("received", 1, ["C"]))
        receive(transfer, ("damaged", 1, []))

        checked()
        assert (at("DC-B"), at("DC-B", "damaged")) == (["C"], ["B"])
        assert story("C") == ["opening", "pick", "transfer", "transfer"]
        assert not Serial.objects.exclude(piece=None).exists()
        assert not broken()

    def test_pieces_are_sold_to_a_sister(self) -> None:
        goods, sister = drill(), company("US02")
        stocked(goods, 1, serials=["A"], node=node("DC-A"))
        transfer = ask((goods, "1"), to_entity_id=sister.pk)
        Transfer.objects.filter(pk=transfer.pk).update(state="approved", approved_at=NOW)

        pick(transfer, "A")
        send(transfer)
        receive(transfer, ("received", 1, ["A"]))

        checked()
        assert there(Stock.objects.get(entity=sister, status="available")) == ["A"]
        assert not broken()

    def test_lost_back_and_over_are_named(self) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"], node=node("DC-A"))
        transfer = ask((goods, "3"))
        pick(transfer, "A", "B", "C")
        send(transfer)

        receive(
            transfer,
            ("lost", 1, ["B"]),
            ("returned", 1, ["A"]),
            ("received", 1, ["C"]),
            ("over", 1, ["X"]),
        )

        checked()
        assert (at("DC-A"), at("DC-B"), at("DC-B", "in_transit")) == (["A"], ["C", "X"], [])
        assert Serial.objects.get(number="B").stock_id is None
        assert story("B") == ["opening", "pick", "transfer", "unpick", "adjustment"]
        assert not broken()

    def test_what_was_not_found_goes_aside_and_what_was_called_off_comes_back(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"], node=node("DC-A"))
        transfer = ask((goods, "2"))
        line = transfer.lines.get()
        short = TransferShort(line_id=line.pk, picked=Decimal(1), reason="damaged")

        pick(transfer, "A", shorts=(short,))
        checked()
        assert at("DC-A", "damaged") == ["B"]
        cancel_transfer(transfer_id=transfer.pk, reason="Not needed", actor=None, now=NOW)

        checked()
        assert there(stock) == ["A"]
        assert not Serial.objects.exclude(piece=None).exists()
        assert not broken()

    def test_what_is_missing_is_named_where_others_lie_there_too(self) -> None:
        goods = drill()
        stocked(goods, 4, serials=["A", "B", "C", "D"], node=node("DC-A"))
        transfer = ask((goods, "2"))
        short = TransferShort(line_id=transfer.lines.get().pk, picked=Decimal(1), reason="damaged")

        with pytest.raises(SerialsNeeded):
            pick(transfer, "A", shorts=(short,))
        with pytest.raises(BadSerial, match=r"'A' is taken by"):
            pick(transfer, "A", shorts=(short,), missing=("A",))
        assert at("DC-A") == ["A", "B", "C", "D"]
        pick(transfer, "A", shorts=(short,), missing=("C",))

        checked()
        assert (at("DC-A"), at("DC-A", "damaged")) == (["A", "B", "D"], ["C"])
        assert not broken()

    def test_refuses_to_pick_without_numbers(self) -> None:
        goods = drill()
        stocked(goods, 2, serials=["A", "B"], node=node("DC-A"))
        transfer = ask((goods, "2"))

        with pytest.raises(SerialsNeeded):
            pick(transfer)

        assert Transfer.objects.get(pk=transfer.pk).state == "approved"
