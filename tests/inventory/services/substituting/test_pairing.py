"""inventory/services/substituting/_pairing.py"""

from datetime import date

import pytest

from erp.governance.models import AuditEntry
from inventory.models import Substitute
from inventory.selectors import substitute_pairs
from inventory.services._keeping import BadMasterData
from inventory.services.substituting import SubstituteDraft, drop_substitute, save_substitute
from tests.inventory import factories as make

pytestmark = pytest.mark.django_db


def saved(**values: object) -> int:
    make.product("OLD"), make.product("NEW")
    draft = SubstituteDraft(**{"product": "old", "other": "new"} | values)  # type: ignore[arg-type]
    return save_substitute(draft=draft, actor=None, now=make.NOW)


class TestSaveSubstitute:
    def test_adds_then_changes_one_pair(self) -> None:
        first = saved(units=3, per=2, reason=" Same fit ")
        second = saved(units=3, per=2, reason="Same fit", consent="always")

        pair = Substitute.objects.get()
        assert first == second == pair.pk
        assert (pair.units, pair.per, pair.consent, pair.reason) == (3, 2, "always", "Same fit")
        assert AuditEntry.objects.filter(action="inventory.pair").count() == 2

    def test_what_is_as_it_should_be_is_left_alone(self) -> None:
        saved()
        saved()
        assert AuditEntry.objects.filter(action="inventory.pair").count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"other": "NONE"}, "other"),
            ({"other": "OLD"}, "other"),
            ({"units": 0}, "units"),
            ({"per": 1_000_001}, "per"),
            ({"rank": -1}, "rank"),
            ({"consent": "maybe"}, "consent"),
            ({"price_rule": "free"}, "price_rule"),
            (
                {"valid_from": date(2026, 2, 2), "valid_until": date(2026, 2, 1)},
                "valid_until",
            ),
        ],
    )
    def test_refuses_what_cannot_be(self, values: dict[str, object], field: str) -> None:
        with pytest.raises(BadMasterData) as refused:
            saved(**values)
        assert refused.value.field == field
        assert not Substitute.objects.exists()

    def test_is_directed(self) -> None:
        saved()
        old, new = make.product("OLD"), make.product("NEW")
        on = make.NOW.date()
        assert [p.other for p in substitute_pairs(product_ids=[old.pk], on=on)] == ["NEW"]
        assert substitute_pairs(product_ids=[new.pk], on=on) == []

    @pytest.mark.parametrize(("day", "there"), [(1, False), (2, True), (4, True), (5, False)])
    def test_from_the_first_day_to_the_last(self, day: int, *, there: bool) -> None:
        saved(valid_from=date(2026, 11, 2), valid_until=date(2026, 11, 4))
        found = substitute_pairs(product_ids=[make.product("OLD").pk], on=date(2026, 11, day))
        assert bool(found) is there


class TestDropSubstitute:
    def test_forgets_the_pair_once(self) -> None:
        saved()
        who = {"product": "OLD", "other": "NEW", "actor": None, "now": make.NOW}
        assert drop_substitute(**who) is True  # type: ignore[arg-type]
        assert drop_substitute(**who) is False  # type: ignore[arg-type]
        assert not Substitute.objects.exists()
