"""orders/services/_dividing.py"""

from typing import Any

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import PolicyVersion
from erp.governance.services import activate_version, write_version
from inventory.models import AllocationRun
from orders.models import Order
from orders.services import allocate_orders
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def decides(entity: Entity, **outcome: Any) -> None:
    active = PolicyVersion.objects.get(policy__code="inventory.allocation", state="active")
    (row,) = active.table["rows"]
    author, boss = (User.objects.create_superuser(name) for name in ("author", "boss"))
    version = write_version(
        policy="inventory.allocation",
        entity_id=entity.pk,
        table={**active.table, "rows": [{**row, "then": row["then"] | outcome}]},
        author=author,
        now=make.NOW,
    )
    activate_version(version_id=version.pk, actor=boss, now=make.NOW)


@pytest.fixture
def two_short() -> list[Order]:
    """Orders of two companies for five; each company has three."""
    other = make.company("DE01", "EUR")
    part = make.priced()
    make.listed(part, "10", entity=other)
    orders = []
    for entity in (make.company(), other):
        make.stocked(part, 3, entity=entity)
        orders.append(make.submitted(make.account(entity=entity), make.line(part, 5)))
    return orders


def served(orders: list[Order]) -> list[int]:
    found = allocate_orders(order_ids=[o.pk for o in orders], cause="test", now=make.NOW)
    return [int(found.given[make.lines_of(order)[0].pk]) for order in orders]


def test_each_company_s_orders_are_served_by_its_own_policy(two_short: list[Order]) -> None:
    decides(two_short[1].entity, allow_partial=False)

    assert served(two_short) == [3, 0]
    assert AllocationRun.objects.count() == 2


def test_the_first_company_s_policy_is_not_the_others(two_short: list[Order]) -> None:
    decides(two_short[0].entity, allow_partial=False)

    assert served(two_short) == [0, 3]


def test_companies_that_decide_alike_share_a_run(two_short: list[Order]) -> None:
    assert served(two_short) == [3, 3]
    assert AllocationRun.objects.count() == 1
