"""Two conditions of the same minute: what they cost decides severity, owner, clock and path."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from erp.governance.services import ensure_builtin_policies
from exceptions.models import ExceptionCase
from exceptions.services import fire_due_timers
from finance.services import receive_transfer
from orders.models import CreditAccount, Customer
from tests.exceptions.factories import person
from tests.finance import factories
from tests.finance.transfers import came, second_node, sent

pytestmark = pytest.mark.django_db


def test_a_short_transfer_and_a_strategic_shortage_go_their_own_ways(
    client: Client, deliver_all: Callable[[], int]
) -> None:
    now = timezone.now()
    ensure_builtin_policies(now=now)
    where = factories.world()
    people = {
        role: person(role, role, entity=where.entity)
        for role in ("warehouse", "planner", "operations_lead", "controller")
    }
    Customer.objects.filter(pk=where.customer.pk).update(tier="A")
    CreditAccount.objects.filter(pk=where.account_id).update(penalty_rate=Decimal("0.02"))
    moved = factories.product(where, on_hand="10", unit_value="3")
    transfer = sent(where, (moved, "10"), to=second_node(where))
    scarce = factories.product(where, on_hand="5")

    receive_transfer(
        transfer_id=transfer.pk, came=[came(transfer, "6")], is_last=True, said="That is all",
        actor=people["warehouse"], now=now,
    )  # fmt: skip
    factories.released(where, (scarce, "500", "40"), now=now)
    deliver_all()

    short = ExceptionCase.objects.get(type="inventory.transfer_short")
    strategic = ExceptionCase.objects.get(type="orders.shortage")
    assert (short.severity, strategic.severity) == (4, 1)
    assert short.expected_loss == Decimal("6.00")  # half of four at 3
    assert strategic.expected_loss > 10_000
    assert (short.owner, strategic.owner) == (people["warehouse"], people["planner"])
    assert strategic.acknowledge_by < short.acknowledge_by
    assert strategic.resolve_by < short.resolve_by

    fired = fire_due_timers(now=strategic.acknowledge_by + timedelta(seconds=1))
    assert strategic.pk in {one.case_id for one in fired}
    assert short.pk not in {one.case_id for one in fired}
    strategic.refresh_from_db(fields=["queue", "owner"])
    assert (strategic.queue, strategic.owner) == ("operations_lead", people["operations_lead"])

    client.force_login(people["operations_lead"])
    pages = {
        case.pk: client.get(f"/exceptions/{case.pk}/").content.decode()
        for case in (short, strategic)
    }
    assert "4 of what left DC-US01 did not come to DC-2" in pages[short.pk]
    for figure in ("Penalty", "Tier A weight", "P(miss)"):
        assert figure in pages[strategic.pk]

    receive_transfer(
        transfer_id=transfer.pk, came=[came(transfer, "4", "lost")], is_last=False,
        said="They are gone", actor=people["controller"], now=now,
    )  # fmt: skip
    deliver_all()
    short.refresh_from_db(fields=["state", "resolved_by"])
    assert (short.state, short.resolved_by) == ("resolved", None)
