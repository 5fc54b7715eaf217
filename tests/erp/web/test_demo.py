"""erp/web/demo, erp/web/management/commands/demo.py"""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from erp.accounts.models import Entity
from exceptions.models import ExceptionCase
from inventory.models import Shipment
from inventory.selectors import serials
from orders.models import Hold, Order


@pytest.mark.django_db
class TestDemo:
    def test_leaves_work_on_every_desk_and_nothing_out_of_balance(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("demo", scale=0.03)
        call_command("verify", json=True)

        checked = json.loads(capsys.readouterr().out.splitlines()[-1])
        states = set(Order.objects.values_list("state", flat=True))
        assert checked["drift"] == 0
        assert Entity.objects.count() == 5
        assert {"closed", "invoiced", "allocated", "held"} <= states
        assert Hold.objects.filter(kind="credit", state="active").exists()
        assert {"planned", "picked", "delivered"} <= set(
            Shipment.objects.values_list("state", flat=True)
        )
        pieces = Counter(
            each.state for each in serials(entity_ids=[Entity.objects.get(code="NEUS").pk])
        )
        assert pieces == {"available": 15, "shipped": 2, "in_transit": 2, "quarantine": 1}
        waiting = Shipment.objects.filter(state="planned", lines__product__tracking="serial")
        assert waiting.exists()
        assert ExceptionCase.objects.exclude(state__in=["resolved", "dismissed"]).exists()
        over = ExceptionCase.objects.filter(
            state="resolved", opened_at__lt=Now() - timedelta(days=5)
        )
        assert over.count() >= 24
        assert over.exclude(resolved_by=None).exists()

    def test_is_made_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        Entity.objects.create(code="US01", name="Ours", currency="USD", time_zone="UTC")

        call_command("demo", if_empty=True)
        call_command("demo")

        assert "in an empty database only" in capsys.readouterr().out
        assert Entity.objects.count() == 1
        assert not Order.objects.exists()
