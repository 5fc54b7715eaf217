"""erp/governance/services/_activating.py: into force and out of it, at their moments."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction

from erp.accounts.models import Entity, User
from erp.governance.models import Policy, PolicyVersion
from erp.governance.services import (
    DatesRefused,
    OwnVersion,
    PolicyRefused,
    Question,
    VersionNotOpen,
    activate_version,
    change_limits,
    decide,
    edit_version,
    retire_version,
    submit_version,
    write_version,
)
from erp.governance.services._versioning import LimitsRefused, NotYourDraft
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
CREDIT = "orders.release.credit"
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def author(db: None) -> User:
    return User.objects.create_user("author", employee_ref="E1")


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_user("boss")


def table(reason: str, *, hold: bool = True) -> dict[str, Any]:
    outcome = {"hold": hold, "owner_role": "credit" if hold else "", "reason": reason}
    return {"rows": [{"when": [], "then": outcome}]}


def written(
    author: User, reason: str, entity: Entity | None = None, **values: Any
) -> PolicyVersion:
    return write_version(
        policy=CREDIT,
        entity_id=entity and entity.pk,
        table=table(reason),
        author=author,
        now=NOW,
        **values,
    )


def active(author: User, boss: User, reason: str, **values: Any) -> PolicyVersion:
    when = {name: values.pop(name) for name in ("valid_from", "valid_until") if name in values}
    at = values.pop("at", NOW)
    version = written(author, reason, **values)
    return activate_version(version_id=version.pk, actor=boss, now=at, **when)


def reason_at(entity: Entity, now: datetime, node: str = "") -> str:
    asked = Question(entity.pk, "orders.order", 1, {}, node)
    return str(decide(policy=CREDIT, questions=[asked], now=now, keep=False)[0].outcome["reason"])


class TestEffectiveDates:
    def test_take_force_by_themselves_at_their_moment(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        active(author, boss, "later", valid_from=NOW + DAY)

        found = [reason_at(entity, NOW + step) for step in (DAY * 0, DAY - MOMENT, DAY, DAY * 9)]

        assert found == ["", "", "later", "later"]

    def test_an_end_gives_way_to_what_was_before(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        active(author, boss, "base")
        active(
            author, boss, "sale", at=NOW + MOMENT,
            valid_from=NOW + DAY, valid_until=NOW + 2 * DAY,
        )  # fmt: skip

        found = [reason_at(entity, NOW + step) for step in (DAY - MOMENT, DAY, 2 * DAY - MOMENT)]

        assert [*found, reason_at(entity, NOW + 2 * DAY)] == ["base", "sale", "sale", "base"]

    def test_what_the_author_proposed_counts_unless_another_date_is_given(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        version = written(author, "x", valid_from=NOW + DAY, valid_until=NOW + 2 * DAY)

        activate_version(version_id=version.pk, actor=boss, now=NOW, valid_until=NOW + 3 * DAY)

        assert reason_at(entity, NOW + 3 * DAY - MOMENT) == "x"
        assert reason_at(entity, NOW) == reason_at(entity, NOW + 3 * DAY) == ""

    def test_do_not_end_before_they_begin_nor_in_the_past(self, author: User, boss: User) -> None:
        version = written(author, "x")

        with pytest.raises(DatesRefused):
            activate_version(version_id=version.pk, actor=boss, now=NOW, valid_until=NOW)
        with pytest.raises(DatesRefused):
            written(author, "y", valid_from=NOW, valid_until=NOW)

        assert PolicyVersion.objects.get(pk=version.pk).state == "draft"

    def test_two_open_versions_to_come_follow_one_another(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        active(author, boss, "first", valid_from=NOW + DAY)
        active(author, boss, "second", valid_from=NOW + 2 * DAY)
        active(author, boss, "instead", valid_from=NOW + 2 * DAY)

        found = [reason_at(entity, NOW + n * DAY) for n in range(4)]

        assert found == ["", "first", "instead", "instead"]

    def test_what_followed_by_itself_is_retired_at_the_next_activation(
        self, author: User, boss: User
    ) -> None:
        active(author, boss, "later", valid_from=NOW + DAY)
        active(author, boss, "much later", at=NOW + 2 * DAY, valid_from=NOW + 9 * DAY)

        states = PolicyVersion.objects.filter(policy__code=CREDIT).order_by("number")

        assert [v.state for v in states] == ["retired", "active", "active"]

    def test_cannot_be_changed_afterwards_nor_begin_together(
        self, author: User, boss: User
    ) -> None:
        version = active(author, boss, "x", valid_from=NOW + DAY)

        for column in ("valid_from", "valid_until"):
            with pytest.raises(InternalError), transaction.atomic():
                PolicyVersion.objects.filter(pk=version.pk).update(**{column: NOW + 9 * DAY})
        with pytest.raises(IntegrityError), transaction.atomic():
            PolicyVersion.objects.create(
                policy=version.policy, number=99, table={}, state="active", created_at=NOW,
                activated_at=NOW, valid_from=NOW + DAY,
            )  # fmt: skip


class TestHierarchy:
    def test_the_nearest_version_wins(self, author: User, boss: User, entity: Entity) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        active(author, boss, "all")
        active(author, boss, "ours", entity=entity)
        active(author, boss, "north", entity=entity, node="N1")

        assert [reason_at(entity, NOW, node) for node in ("", "N1", "N2")] == [
            "ours", "north", "ours",
        ]  # fmt: skip
        assert reason_at(far, NOW, "N1") == "all"

    def test_a_node_is_of_an_entity(self, author: User) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            written(author, "x", node="N1")


class TestRetireVersion:
    def test_one_to_come_is_called_off(self, author: User, boss: User, entity: Entity) -> None:
        version = active(author, boss, "later", valid_from=NOW + DAY)

        retire_version(version_id=version.pk, actor=boss, now=NOW)
        retire_version(version_id=version.pk, actor=boss, now=NOW)

        assert reason_at(entity, NOW + DAY) == ""

    def test_the_wider_scope_decides_again_and_not_the_one_before(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        active(author, boss, "old", entity=entity)
        new = active(author, boss, "new", entity=entity, valid_from=NOW + DAY)
        assert reason_at(entity, NOW + DAY) == "new"

        retire_version(version_id=new.pk, actor=boss, now=NOW + 2 * DAY)

        assert reason_at(entity, NOW + 2 * DAY) == ""

    def test_refuses_the_author_under_any_account(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        version = active(author, boss, "x", entity=entity)
        twin = User.objects.create_user("twin", employee_ref="E1", is_superuser=True)

        for actor in (author, twin):
            with pytest.raises(OwnVersion):
                retire_version(version_id=version.pk, actor=actor, now=NOW)

        assert reason_at(entity, NOW) == "x"

    def test_something_always_decides_everywhere(self, author: User, boss: User) -> None:
        shipped = PolicyVersion.objects.get(policy__code=CREDIT)
        sale = active(author, boss, "sale", valid_until=NOW + DAY)
        draft = written(author, "draft")

        for version in (shipped, draft):
            with pytest.raises(VersionNotOpen):
                retire_version(version_id=version.pk, actor=boss, now=NOW)
        retire_version(version_id=sale.pk, actor=boss, now=NOW)

        assert PolicyVersion.objects.get(pk=shipped.pk).state == "active"


class TestSubmitVersion:
    def test_settles_the_table_for_somebody_else(self, author: User, boss: User) -> None:
        version = written(author, "x")

        submit_version(version_id=version.pk, actor=author, now=NOW)
        submit_version(version_id=version.pk, actor=author, now=NOW)

        with pytest.raises(VersionNotOpen):
            edit(version, author, table("y"))
        assert activate_version(version_id=version.pk, actor=boss, now=NOW).state == "active"

    def test_refuses_a_table_with_faults_and_others_drafts(self, author: User, boss: User) -> None:
        bad = write_version(
            policy=CREDIT, entity_id=None, table={"rows": []}, author=author, now=NOW
        )

        with pytest.raises(PolicyRefused):
            submit_version(version_id=bad.pk, actor=author, now=NOW)
        with pytest.raises(NotYourDraft):
            submit_version(version_id=bad.pk, actor=boss, now=NOW)

        assert PolicyVersion.objects.get(pk=bad.pk).state == "draft"


def edit(version: PolicyVersion, actor: User, changed: dict[str, Any]) -> PolicyVersion:
    return edit_version(
        version_id=version.pk, table=changed, note="changed", valid_from=None, valid_until=None,
        actor=actor, now=NOW,
    )  # fmt: skip


class TestEditVersion:
    def test_changes_one_s_own_draft_only(self, author: User, boss: User) -> None:
        version = written(author, "x")

        edit(version, author, table("y"))
        with pytest.raises(NotYourDraft):
            edit(version, boss, table("z"))

        found = PolicyVersion.objects.get(pk=version.pk)
        assert (found.table["rows"][0]["then"]["reason"], found.note) == ("y", "changed")


class TestChangeLimits:
    LIMITS = {"outcomes": {"owner_role": {"values": ["", "credit"]}, "hold": "locked"}}

    def test_an_own_version_beyond_them_is_refused_by_row_and_field(
        self, author: User, boss: User, entity: Entity
    ) -> None:
        before = written(author, "x", entity=entity)
        change_limits(policy=CREDIT, limits=self.LIMITS, actor=boss, now=NOW)

        for act in (
            lambda: written(author, "y", entity=entity),
            lambda: edit(before, author, table("y")),
            lambda: submit_version(version_id=before.pk, actor=author, now=NOW),
            lambda: activate_version(version_id=before.pk, actor=boss, now=NOW),
        ):
            with pytest.raises(PolicyRefused) as refused:
                act()
            assert refused.value.errors[0]["field"] == "table.rows[0].then.hold"

        assert reason_at(entity, NOW) == ""
        assert written(author, "for all may").state == "draft"

    def test_names_the_outcome_that_is_at_fault(self, boss: User) -> None:
        with pytest.raises(LimitsRefused) as refused:
            change_limits(
                policy=CREDIT, limits={"outcomes": {"hold": {"min": 1}}}, actor=boss, now=NOW
            )

        assert refused.value.errors[0]["field"] == "limits.outcomes.hold"
        assert Policy.objects.get(code=CREDIT).limits_by is None
