"""erp/insight/management/commands/verify.py"""

import json

import pytest
from django.core.management import call_command

from erp.insight.selectors import all_invariants
from exceptions.services import refresh
from orders.models import OrderLine
from tests.finance import factories
from tests.finance.factories import NOW, World

pytestmark = pytest.mark.django_db


class TestVerify:
    def test_finds_nothing_where_the_services_worked(
        self, where: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        factories.packed(where, (factories.product(where, on_hand="3"), "9", "7"))
        refresh(type="orders.shortage", now=NOW)

        call_command("verify", "--json")

        told = json.loads(capsys.readouterr().out)
        assert told["drift"] == 0
        assert len(told["invariants"]) == len(all_invariants())

    def test_names_what_has_drifted_and_fails(
        self, where: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        factories.allocated(where, (factories.product(where), "4", "25"))
        OrderLine.objects.update(reserved=3)

        with pytest.raises(SystemExit) as stop:
            call_command("verify")

        assert stop.value.code == 1
        assert "orders." in capsys.readouterr().out

    def test_hears_every_app(self) -> None:
        apps = {invariant.code.partition(".")[0] for invariant in all_invariants()}

        assert {"inventory", "orders", "procurement", "finance", "exceptions", "governance"} <= apps
        codes = [invariant.code for invariant in all_invariants()]
        assert len(codes) == len(set(codes))
