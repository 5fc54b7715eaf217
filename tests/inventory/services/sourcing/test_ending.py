"""inventory/services/sourcing/_ending.py, and orders/services/sourcing/_ending.py."""

from collections.abc import Callable

import pytest

from inventory.models import Sourcing, Transfer
from inventory.services.sourcing import call_off_transfer, end_supply, let_supply_go
from orders.services import allocate_waiting
from orders.services.sourcing import let_lines_go
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make

pytestmark = pytest.mark.django_db

Deliver = Callable[[], int]


def asked(deliver_all: Deliver) -> Sourcing:
    """Return what was asked for of a sister company by itself."""
    scenes.says([{"when": [], "then": scenes.act("automatic")}])
    part = make.priced("10")
    other, there = scenes.sister()
    make.stocked(part, 30, node=there, entity=other, unit_value="4")
    scenes.lane(there, make.node())
    scenes.short(part)
    deliver_all()
    return Sourcing.objects.get()


class TestLetLinesGo:
    def test_withdraws_what_was_proposed_for_a_line_that_is_covered(
        self, deliver_all: Deliver
    ) -> None:
        part = make.priced("10")
        scenes.offered(part)
        line = scenes.short(part)
        make.stocked(part, 10)

        allocate_waiting(
            entity_id=make.company().pk, product_ids=[part.pk], cause="test", now=make.NOW
        )
        deliver_all()

        sourcing = Sourcing.objects.get(demand_id=line.pk)
        assert (sourcing.state, sourcing.why) == ("withdrawn", "The line waits no more")

    def test_leaves_alone_what_a_line_still_waits_for(self) -> None:
        part = make.priced("10")
        scenes.offered(part)
        line = scenes.short(part)

        assert let_lines_go(line_ids=[line.pk], why="test", now=make.NOW) == 0
        assert Sourcing.objects.get().state == "proposed"


class TestLetSupplyGo:
    def test_leaves_what_was_asked_for_to_its_document(self, deliver_all: Deliver) -> None:
        row = asked(deliver_all)

        let_supply_go(
            kind=row.demand_kind, demand_ids=[row.demand_id], why="test", now=make.NOW
        )  # fmt: skip
        assert Sourcing.objects.get().state == "asked"
        deliver_all()

        assert (Transfer.objects.get().state, Sourcing.objects.get().state) == (
            "cancelled", "withdrawn",
        )  # fmt: skip

    def test_calls_nothing_off_that_is_picked(self, deliver_all: Deliver) -> None:
        asked(deliver_all)
        Transfer.objects.update(state="picked", approved_at=make.NOW, picked_at=make.NOW)

        assert not call_off_transfer(transfer_id=Transfer.objects.get().pk, now=make.NOW)
        assert Transfer.objects.get().state == "picked"


class TestEndSupply:
    def test_what_came_is_fulfilled_once(self, deliver_all: Deliver) -> None:
        row = asked(deliver_all)
        document = {"document_kind": row.document_kind, "document_ids": [row.document_id or 0]}

        assert end_supply(**document, has_come=True, now=make.NOW) == 1  # type: ignore[arg-type]
        assert end_supply(**document, has_come=True, now=make.NOW) == 0  # type: ignore[arg-type]

        row = Sourcing.objects.get()
        assert (row.state, row.ended_at) == ("fulfilled", make.NOW)
