from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from inventory.models import Carrier, Node, Product, ProductUom
from inventory.services import (
    BadMasterData,
    CarrierDraft,
    NodeDraft,
    ProductDraft,
    UomDraft,
    save_product,
    upsert_carriers,
    upsert_nodes,
    upsert_products,
)
from tests.inventory.factories import NOW, company, product, stocked

pytestmark = pytest.mark.django_db

PEN = ProductDraft(code="PEN", name="Pen", uoms=[UomDraft(code="CASE", numerator=12)])


def keep(*drafts: ProductDraft) -> dict[str, int]:
    return upsert_products(drafts=drafts, actor=None, now=NOW)


class TestUpsertProducts:
    def test_adds_and_changes_by_code(self) -> None:
        first = keep(PEN, ProductDraft(code="INK", name="Ink"))
        again = keep(replace(PEN, name="Ballpoint", is_discontinued=True))
        assert again == {"PEN": first["PEN"]}
        pen = Product.objects.get(code="PEN")
        assert (pen.name, pen.is_discontinued) == ("Ballpoint", True)
        assert Product.objects.count() == 2

    def test_keeps_units_as_told(self) -> None:
        keep(PEN)
        keep(replace(PEN, uoms=[UomDraft(code="BOX", numerator=1, denominator=2)]))
        unit = ProductUom.objects.get()
        assert (unit.code, unit.numerator, unit.denominator) == ("BOX", 1, 2)
        keep(replace(PEN, uoms=None))
        assert ProductUom.objects.count() == 1

    def test_audits_only_what_differs(self) -> None:
        keep(PEN)
        keep(PEN)
        assert list(AuditEntry.objects.values_list("action", flat=True)) == ["inventory.add"]
        keep(replace(PEN, name="Ballpoint"))
        assert AuditEntry.objects.latest("id").after["name"] == "Ballpoint"

    def test_counts_the_last_of_several(self) -> None:
        keep(PEN, replace(PEN, name="Ballpoint"))
        assert Product.objects.get().name == "Ballpoint"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("code", " "),
            ("code", "x" * 41),
            ("name", "a\0b"),
            ("tracking", "maybe"),
            ("weight", Decimal(-1)),
            ("weight", Decimal("NaN")),
            ("uoms", [UomDraft(code="CASE", numerator=0)]),
            ("uoms", [UomDraft(code="CASE", numerator=1), UomDraft(code="CASE", numerator=2)]),
        ],
    )
    def test_refuses_a_bad_field_by_name(self, field: str, value: object) -> None:
        with pytest.raises(BadMasterData) as refused:
            keep(ProductDraft(code="GOOD", name="Good"), replace(PEN, **{field: value}))
        assert (refused.value.field, refused.value.place) == (field, 1)
        assert not Product.objects.exists()

    def test_never_recounts_what_moved(self) -> None:
        pen = product("PEN")
        stocked(pen, 1)
        with pytest.raises(BadMasterData, match="base_uom"):
            save_product(draft=replace(PEN, base_uom="KG"), actor=None, now=NOW)
        pen.refresh_from_db()
        assert pen.base_uom == "EA"


class TestUpsertNodes:
    draft = NodeDraft(code="N1", name="North", entity_id=0, country="US")

    def test_adds_and_changes(self) -> None:
        draft = replace(self.draft, entity_id=company().pk)
        upsert_nodes(drafts=[draft], actor=None, now=NOW)
        upsert_nodes(drafts=[replace(draft, cutoff=time(11, 30))], actor=None, now=NOW)
        assert Node.objects.get().cutoff == time(11, 30)

    @pytest.mark.parametrize(
        ("field", "value"), [("time_zone", "Mars/Base"), ("time_zone", ""), ("handling_days", -1)]
    )
    def test_refuses(self, field: str, value: object) -> None:
        with pytest.raises(BadMasterData, match=field):
            upsert_nodes(drafts=[replace(self.draft, **{field: value})], actor=None, now=NOW)


def test_carriers_are_added_and_changed() -> None:
    draft = CarrierDraft(code="UPS", name="UPS", currency="USD", base_rate=Decimal(5))
    upsert_carriers(drafts=[draft], actor=None, now=NOW)
    upsert_carriers(drafts=[replace(draft, transit_days=3)], actor=None, now=NOW)
    assert Carrier.objects.get().transit_days == 3
    with pytest.raises(BadMasterData, match="base_rate"):
        upsert_carriers(drafts=[replace(draft, base_rate=Decimal("Inf"))], actor=None, now=NOW)
