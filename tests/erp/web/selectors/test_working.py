"""erp/web/selectors/_working.py and _waiting.py"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from erp.accounts.models import Entity, Role, User
from erp.governance.services import request_approval
from erp.web.selectors import COUNTED, my_work, waiting_behind
from erp.web.selectors._working import WORKLISTS, Work
from exceptions.models import ExceptionCase
from orders.models import Order
from procurement.models import PurchaseOrder
from tests.exceptions import factories as cases
from tests.finance import factories as finance
from tests.inventory import factories as inventory
from tests.orders import factories as orders
from tests.procurement import factories as procurement

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
TODAY = date(2026, 11, 23)


def work_of(user: User, *roles: Role, today: date = TODAY, limit: int = 8) -> dict[str, list[Work]]:
    lists = my_work(
        user, roles=frozenset(roles), entities=user.entity_ids, today=today, limit=limit
    )
    return {worklist.key: items for worklist, _total, items in lists}


def case(entity: Entity, queue: str, **values: object) -> ExceptionCase:
    now = cases.NOW
    defaults = {
        "type": "shortage", "subject_kind": "orders.line", "subject_id": 1, "entity": entity,
        "subject_label": "SO-1 · line 1", "summary": "412 of 600 short", "currency": "USD",
        "queue": queue, "opened_at": now, "acknowledge_by": now + timedelta(hours=1),
        "resolve_by": now + timedelta(hours=4), "updated_at": now, "severity": 2,
    } | values  # fmt: skip
    return ExceptionCase.objects.create(**defaults)


class TestMyWork:
    def test_each_role_has_something_to_start_from(self, entity: Entity, person: Person) -> None:
        for role in set(Role) - {Role.PARTNER}:
            user = person(role, entity, name=role.value)

            assert len(work_of(user, role)) >= 2, role

    def test_shows_cases_of_ones_queue_or_ones_own_the_worst_first(
        self, entity: Entity, germany: Entity, person: Person
    ) -> None:
        buyer = person(Role.BUYER, entity)
        case(entity, "buyer", subject_id=1, severity=3)
        case(entity, "credit", subject_id=2, owner=buyer, severity=1)
        case(entity, "credit", subject_id=3)
        case(entity, "buyer", subject_id=4, owner=person(name="omar"))
        case(germany, "buyer", subject_id=5)

        assert [w.severity for w in work_of(buyer, Role.BUYER)["cases"]] == [1, 3]

    def test_an_operations_lead_sees_every_case_of_the_entity(
        self, entity: Entity, germany: Entity, person: Person
    ) -> None:
        lead = person(Role.OPERATIONS_LEAD, entity)
        case(entity, "buyer", subject_id=1)
        case(germany, "buyer", subject_id=2)

        assert len(work_of(lead, Role.OPERATIONS_LEAD)["cases"]) == 1

    def test_shows_what_one_may_approve_and_did_not_ask_for(
        self, entity: Entity, person: Person
    ) -> None:
        lead, buyer = person(Role.OPERATIONS_LEAD, entity), person(Role.BUYER, entity, name="omar")
        for number, asking in enumerate((buyer, lead)):
            request_approval(
                entity_id=entity.pk, document_kind="procurement.purchase_order",
                document_id=number, label=f"PO-{number}",
                permission="procurement.approve_purchase_order", role="operations_lead",
                amount=Decimal(100), currency="USD", consequence="It is sent.",
                fingerprint="x", requested_by=asking, now=cases.NOW,
            )  # fmt: skip

        assert [w.title for w in work_of(lead, Role.OPERATIONS_LEAD)["approvals"]] == ["PO-0"]
        assert work_of(buyer, Role.BUYER)["approvals"] == []
        assert waiting_behind("governance:approvals", lead, lead.entity_ids) == 1

    def test_shows_orders_short_of_stock_by_their_promise(self, person: Person) -> None:
        account = orders.account()
        user = person(Role.PLANNER, account.entity)
        short = orders.allocated(account, orders.line(orders.priced(), 5))
        assert short.state == Order.State.BACKORDERED

        [item] = work_of(user, Role.PLANNER)["short"]

        assert (item.ref, item.amount, item.currency) == (short.number, short.total, "USD")

    def test_shows_what_is_left_to_pick_then_to_ship(self, person: Person) -> None:
        account, sold = orders.account(), orders.priced()
        inventory.stocked(sold, 10, node=inventory.node())
        picker = person(Role.WAREHOUSE, account.entity)
        order = orders.allocated(account, orders.line(sold, 5))

        assert [w.note for w in work_of(picker, Role.WAREHOUSE)["picking"]] == [order.number]
        assert waiting_behind("finance:picking", picker, picker.entity_ids) == 1

    def test_shows_suppliers_that_are_late(self, person: Person) -> None:
        order = procurement.make_sent_order()
        PurchaseOrder.objects.filter(pk=order.pk).update(expected_date=TODAY - timedelta(days=3))
        buyer = person(Role.BUYER, order.entity)

        assert [w.ref for w in work_of(buyer, Role.BUYER)["late_supply"]] == [order.number]
        assert work_of(buyer, Role.BUYER, today=TODAY - timedelta(days=9))["late_supply"] == []

    def test_counts_beyond_what_it_shows(self, entity: Entity, person: Person) -> None:
        buyer = person(Role.BUYER, entity)
        for n in range(5):
            case(entity, "buyer", subject_id=n)

        [found] = [
            (total, len(items))
            for worklist, total, items in my_work(
                buyer,
                roles=frozenset({Role.BUYER}),
                entities=buyer.entity_ids,
                today=TODAY,
                limit=3,
            )
            if worklist.key == "cases"
        ]
        assert found == (5, 3)

    def test_shows_nothing_of_another_entity(
        self, germany: Entity, person: Person, admin_user: User
    ) -> None:
        where = finance.world()
        finance.invoiced(where, (finance.product(where), "5", "10"))
        procurement.make_sent_order()
        stranger = person(None)
        for role in Role:
            if role != Role.PARTNER:
                stranger.roles.create(entity=germany, role=role)

        late = TODAY + timedelta(days=900)
        seen = work_of(stranger, *Role, today=late)
        assert seen.keys() == {w.key for w in WORKLISTS}
        assert not any(seen.values())
        assert any(work_of(admin_user, today=late).values())


class TestWaitingBehind:
    @pytest.mark.parametrize("url_name", sorted(COUNTED))
    def test_nothing_waits_in_an_empty_company(
        self, entity: Entity, admin_user: User, url_name: str
    ) -> None:
        assert waiting_behind(url_name, admin_user, admin_user.entity_ids) == 0

    def test_counts_the_entities_in_view_alone(
        self, entity: Entity, germany: Entity, admin_user: User
    ) -> None:
        case(entity, "buyer", subject_id=1)
        case(germany, "buyer", subject_id=2)

        assert (
            waiting_behind("exceptions:queue", admin_user, lambda p: frozenset({germany.pk})) == 1
        )
        assert waiting_behind("exceptions:queue", admin_user, lambda p: frozenset()) == 0
