"""exceptions/selectors/_analytics.py: times, breaches, causes, by one dimension at a time."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from exceptions.models import ExceptionCase, PlayRun
from exceptions.selectors import Analytics, analytics
from exceptions.services import clear, dismiss, refresh, take
from orders.models import OrderLine
from tests.exceptions import factories

NOW = factories.NOW
LATE = factories.TODAY - timedelta(days=2)


@pytest.fixture
def lee(entity: Entity) -> User:
    return factories.person("lee", "planner", "ops_lead")


def found(entity: Entity, by: str = "type", **more: object) -> Analytics:
    values = {"since": NOW - timedelta(days=1), "until": NOW + timedelta(days=1), "now": NOW} | more
    return analytics(entity_ids=[entity.pk], by=by, **values)  # type: ignore[arg-type]


class TestAnalytics:
    def test_counts_what_people_and_the_world_closed(self, entity: Entity, lee: User) -> None:
        factories.policies()
        first, second, third = (factories.shortage_case() for _ in range(3))
        take(case_id=first.pk, actor=lee, now=NOW + timedelta(minutes=10))
        dismiss(case_id=first.pk, reason="No", actor=lee, now=NOW + timedelta(minutes=40))
        OrderLine.objects.filter(pk=second.subject_id).update(reserved=10)
        clear(subject_ids=[second.subject_id], now=NOW + timedelta(hours=1))

        (group,) = found(entity, now=NOW + timedelta(hours=2)).groups

        assert (group.key, group.label) == ("orders.shortage", "Shortage")
        assert (group.opened, group.live, group.alone, group.dismissed) == (3, 1, 1, 1)
        assert (group.resolved, group.reopened, group.breached) == (1, 0, 0)
        assert group.alone_rate == 1
        assert round(group.seen_p50 or 0) == round(group.seen_p90 or 0) == 10
        assert sorted(
            ExceptionCase.objects.filter(pk__in=[first.pk, second.pk]).values_list(
                "worked_minutes", flat=True
            )
        ) == [40, 60]
        assert (group.worked_p50, group.worked_p90) == (50, 58)
        assert third.state in ExceptionCase.LIVE

    def test_a_live_case_past_its_clock_is_late(self, entity: Entity, lee: User) -> None:
        factories.policies()
        case = factories.shortage_case()

        at_the_limit = found(entity, now=case.resolve_by).whole
        past = found(entity, now=case.resolve_by + timedelta(seconds=1)).whole

        assert (at_the_limit.breached, past.breached) == (0, 1)
        assert past.breach_rate == 1

    def test_a_case_counts_for_its_cause(self, entity: Entity, lee: User) -> None:
        factories.policies()
        item = factories.product()
        late = factories.purchase(item, 1_000, expected=LATE)
        lines = [factories.short_line(5, item=item, requested_date=factories.TODAY).pk] + [
            factories.short_line(5, item=item, requested_date=factories.TODAY).pk for _ in range(2)
        ]
        refresh(type="orders.shortage", subject_ids=lines, now=NOW)
        refresh(type="procurement.late_supply", subject_ids=[late.pk], now=NOW)
        factories.shortage_case()

        result = found(entity)

        causes = {one.type: (one.cases, one.causes) for one in result.causes}
        assert causes == {"procurement.late_supply": (4, 1), "orders.shortage": (1, 1)}
        assert result.causes[-1].upto == 1
        assert sum(one.opened for one in result.groups) == result.whole.opened == 2
        ranks = list(ExceptionCase.objects.values_list("rank", flat=True))
        assert sum(one.rank for one in result.causes) == sum(ranks)

    def test_sums_what_the_ways_out_cost(self, entity: Entity, lee: User) -> None:
        factories.policies()
        case = factories.shortage_case()
        PlayRun.objects.create(
            case=case, key="other_node", chosen={"cost": "12.50"}, alternatives=[], run_at=NOW,
            run_by=lee, outcome="Done",
        )  # fmt: skip

        assert found(entity).costs == [("USD", Decimal("12.50"), 1)]

    @pytest.mark.parametrize(
        "by", ["type", "severity", "entity", "owner", "queue", "party", "tier", "week"]
    )
    def test_every_dimension_holds_every_case_once(
        self, entity: Entity, lee: User, by: str
    ) -> None:
        factories.policies()
        for _ in range(3):
            factories.shortage_case()

        assert sum(group.opened for group in found(entity, by).groups) == 3

    def test_tells_nothing_of_others_nor_of_another_time(self, entity: Entity, lee: User) -> None:
        factories.policies()
        factories.shortage_case()

        assert found(factories.company("XX")).whole.opened == 0
        before = {"since": NOW - timedelta(days=3), "until": NOW}
        assert found(entity, **before).whole.opened == 0

    def test_refuses_what_it_cannot_count(self, entity: Entity) -> None:
        with pytest.raises(ValueError, match="no dimension 'colour'"):
            found(entity, "colour")
        with pytest.raises(ValueError, match="400 days"):
            found(entity, since=NOW - timedelta(days=401))
        with pytest.raises(ValueError, match="ends after it begins"):
            found(entity, until=NOW - timedelta(days=1))


class TestDoors:
    def test_the_page_shows_causes_and_groups(self, client: Client, entity: Entity) -> None:
        factories.policies()
        client.force_login(factories.person("ann", "planner"))
        empty = client.get("/exceptions/analytics/").content.decode()
        case = factories.shortage_case()
        ExceptionCase.objects.filter(pk=case.pk).update(
            opened_at=timezone.now() - timedelta(days=1)
        )

        page = client.get("/exceptions/analytics/?by=owner&days=365").content.decode()

        assert "No exception opened in this time" in empty
        assert "Root causes" in page
        assert "Shortage" in page
        assert "By owner" in page

    def test_the_api_names_the_field_that_is_wrong(self, entity: Entity) -> None:
        factories.policies()
        api = APIClient()
        api.force_authenticate(factories.person("ann", "planner"))
        factories.shortage_case()

        fine = api.get("/api/v1/exceptions/analytics/?from=2026-11-01&to=2026-11-30&by=severity")
        wrong = api.get("/api/v1/exceptions/analytics/?by=colour")
        long = api.get("/api/v1/exceptions/analytics/?from=2020-01-01&to=2026-11-30")

        assert fine.status_code == 200
        assert fine.json()["whole"]["opened"] == 1
        assert fine.json()["causes"][0]["share_so_far"] == "1.0000"
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "by")
        assert (long.status_code, long.json()["errors"][0]["field"]) == (400, "from")
