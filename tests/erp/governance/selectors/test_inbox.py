"""erp/governance/selectors/_inbox.py: every request is reached, in the order of the first page."""

from datetime import timedelta
from decimal import Decimal

import pytest

from erp.accounts.models import Entity, User
from erp.governance.models import Approval
from erp.governance.selectors import InboxFilters, inbox
from tests.conftest import NOW
from tests.erp.governance.factories import ask, matrix, person, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def controller(entity: Entity) -> User:
    matrix(row(1, "controller"))
    return person("carla", entity, "controller")


def asked(entity: Entity, number: int, amount: int = 100, by: User | None = None) -> Approval:
    return ask(
        entity, by, document_id=number, label=f"PO-{number}", amount=Decimal(amount),
        currency=entity.currency,
    )  # fmt: skip


class TestInbox:
    def test_pages_reach_all_of_a_hundred_and_five_once(self, entity, controller) -> None:
        made = [asked(entity, n, amount=100 + n % 7).pk for n in range(105)]
        asking = {"user": controller, "entity_ids": [entity.pk], "filters": InboxFilters()}

        first = inbox(**asking, now=NOW)
        # By the second page hours have gone by and something heavier has come.
        late = asked(entity, 999, amount=10_000)
        rest = inbox(**asking, now=NOW + timedelta(hours=9), after=first.next_cursor)

        seen = [row.id for row in (*first.rows, *rest.rows)]
        assert (len(first.rows), rest.next_cursor) == (100, "")
        assert sorted(seen) == sorted(made)
        assert late.pk not in seen
        assert [r.amount for r in first.rows[:15]] == [106] * 15

    def test_counts_are_of_whole_views_not_of_a_page(self, entity, controller) -> None:
        for n in range(4):
            asked(entity, n)
        asked(entity, 4, by=controller)

        page = inbox(
            user=controller, entity_ids=[entity.pk], filters=InboxFilters(), now=NOW, limit=2
        )

        assert (page.counts[""], page.counts["mine"], len(page.rows)) == (4, 1, 2)

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            (InboxFilters(text="po-1"), {"PO-1"}),
            (InboxFilters(least=Decimal(300)), {"PO-3"}),
            (InboxFilters(least=Decimal("300.01")), set()),
            (InboxFilters(kind="nothing.such"), set()),
            (InboxFilters(view="mine"), set()),
        ],
    )
    def test_is_narrowed_before_it_is_cut(self, entity, controller, filters, found) -> None:
        for n in range(1, 4):
            asked(entity, n, amount=100 * n)

        page = inbox(user=controller, entity_ids=[entity.pk], filters=filters, now=NOW, limit=1)

        assert {row.label for row in page.rows} == found
        assert page.counts[""] == 3

    @pytest.mark.parametrize("after", ["x", "1_2", "1_NaN_3", "9" * 30 + "_1_1", "__"])
    def test_a_spoilt_cursor_begins_at_the_beginning(self, entity, controller, after: str) -> None:
        asked(entity, 1)

        page = inbox(
            user=controller, entity_ids=[entity.pk], filters=InboxFilters(), now=NOW, after=after
        )

        assert [row.label for row in page.rows] == ["PO-1"]

    def test_another_entity_s_are_not_there(self, entity, controller) -> None:
        asked(entity, 1)

        page = inbox(user=controller, entity_ids=[], filters=InboxFilters(), now=NOW)

        assert (page.rows, page.counts[""], page.kinds) == ([], 0, [])
