"""inventory/services/binning/_keeping.py"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from erp.governance.models import AuditEntry
from inventory.models import Bin
from inventory.services import BadMasterData
from inventory.services.binning import BinDraft, BinInUse, save_bin, upsert_bins
from tests.inventory.factories import NOW, bin_of, node, product, put, stocked

pytestmark = pytest.mark.django_db


def draft(**values: Any) -> BinDraft:
    return BinDraft(**{"node_id": node().pk, "code": "A-01"} | values)


class TestUpsertBins:
    def test_adds_and_changes_by_node_and_code_and_audits_what_changed(self) -> None:
        other = node("DC-B")
        drafts = [draft(), draft(code="A-02", sequence=7), draft(node_id=other.pk)]
        ids = upsert_bins(drafts=drafts, actor=None, now=NOW)
        assert set(ids) == {(node().pk, "A-01"), (node().pk, "A-02"), (other.pk, "A-01")}
        written = AuditEntry.objects.filter(subject_kind="inventory.bin")
        assert written.count() == 3

        assert upsert_bins(drafts=drafts, actor=None, now=NOW) == ids
        assert written.count() == 3

        save_bin(draft=replace(drafts[1], capacity=Decimal(40)), actor=None, now=NOW)
        assert Bin.objects.get(pk=ids[node().pk, "A-02"]).capacity == 40
        assert written.count() == 4

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"code": " "}, "code"),
            ({"code": "x" * 21}, "code"),
            ({"kind": "shelf"}, "kind"),
            ({"sequence": -1}, "sequence"),
            ({"capacity": Decimal(0)}, "capacity"),
            ({"minimum": Decimal(-1)}, "minimum"),
            ({"minimum": Decimal(1)}, "minimum"),
            ({"minimum": Decimal(9), "capacity": Decimal(8)}, "minimum"),
        ],
    )
    def test_refuses_what_cannot_be_kept(self, values: dict[str, Any], field: str) -> None:
        with pytest.raises(BadMasterData) as refused:
            save_bin(draft=draft(**values), actor=None, now=NOW)
        assert refused.value.field == field
        assert not Bin.objects.exists()

    def test_only_a_pick_face_is_a_home(self) -> None:
        with pytest.raises(BadMasterData, match="home"):
            save_bin(draft=draft(product_id=product().pk), actor=None, now=NOW)

    def test_a_bin_in_which_something_lies_keeps_its_kind_and_stays_in_use(self) -> None:
        place = bin_of("A-01")
        stock = stocked(product(), 5)
        put(stock, 5, place)
        for changed in (draft(kind="receiving"), draft(is_active=False)):
            with pytest.raises(BinInUse):
                save_bin(draft=changed, actor=None, now=NOW)
        with pytest.raises(IntegrityError, match="keeps node and kind"), transaction.atomic():
            Bin.objects.filter(pk=place.pk).update(kind="receiving")

        put(stock, 5, None, place)
        save_bin(draft=draft(kind="receiving", is_active=False), actor=None, now=NOW)
        place.refresh_from_db()
        assert (place.kind, place.is_active) == ("receiving", False)
