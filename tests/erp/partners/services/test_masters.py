"""erp/partners/services/_masters.py"""

from decimal import Decimal

import pytest

from erp.partners.rules.checking import Loadable
from erp.partners.rules.columns import BadCell, bin_kind
from erp.partners.services._masters import Load, load_masters
from inventory.models import Bin
from tests.inventory.factories import NOW, company, node, product

pytestmark = pytest.mark.django_db


class TestBins:
    def test_are_added_and_changed_by_node_and_code(self) -> None:
        place, pen = node(), product("PEN")
        load = Load(company(), "import 1", None, NOW)
        face = {
            "node": place.code, "code": "P-1", "kind": "pick_face", "sequence": Decimal(10),
            "capacity": Decimal(40), "product": "PEN", "minimum": Decimal(5),
        }  # fmt: skip
        reserve = {"node": place.code, "code": "R-1"}
        load_masters("bins", [Loadable(1, face), Loadable(2, reserve)], load)
        load_masters("bins", [Loadable(1, face | {"capacity": Decimal(60)})], load)

        made = {each.code: each for each in Bin.objects.all()}
        assert (made["P-1"].product_id, made["P-1"].capacity, made["P-1"].sequence) == (
            pen.pk, 60, 10,
        )  # fmt: skip
        assert (made["R-1"].kind, made["R-1"].capacity, made["R-1"].product_id) == (
            "reserve", None, None,
        )  # fmt: skip

    def test_of_no_known_kind_are_refused(self) -> None:
        assert bin_kind(" Pick face ") == "pick_face"
        with pytest.raises(BadCell):
            bin_kind("shelf")
