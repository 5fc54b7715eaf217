"""erp/governance/services/_versioning.py: versions of policies and those that are shipped."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.accounts.models import Entity, User
from erp.governance.models import Policy, PolicyVersion
from erp.governance.rules import Schema, problems_of
from erp.governance.selectors import INVARIANTS, policies, policy_page
from erp.governance.services import (
    OwnVersion,
    PolicyRefused,
    VersionNotOpen,
    activate_version,
    ensure_builtin_policies,
    retire_version,
    write_version,
)
from erp.governance.services._bringing import shipped_policies
from erp.kernel.invariants import check
from tests.conftest import NOW

CREDIT = "orders.release.credit"
OUTCOME = {"hold": False, "owner_role": "", "reason": ""}
TABLE: dict[str, Any] = {"rows": [{"when": [], "then": OUTCOME}]}


@pytest.fixture
def author(db: None) -> User:
    return User.objects.create_user("author", employee_ref="E1")


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_user("boss")


def write(author: User, entity: Entity | None = None, table: Any = TABLE) -> PolicyVersion:
    return write_version(
        policy=CREDIT, entity_id=entity and entity.pk, table=table, author=author, now=NOW
    )


def active() -> list[tuple[int, int | None]]:
    return list(
        PolicyVersion.objects.filter(policy__code=CREDIT, state="active")
        .order_by("number")
        .values_list("number", "entity")
    )


class TestShippedPolicies:
    @pytest.mark.parametrize("shipped", list(shipped_policies()), ids=lambda p: p["code"])
    def test_has_no_faults(self, shipped: dict[str, Any]) -> None:
        schema = Schema(shipped["fields"], shipped["outcomes"])

        assert problems_of(shipped["table"], schema) == []


@pytest.mark.django_db
class TestEnsureBuiltinPolicies:
    def test_has_brought_them_and_brings_them_once(self) -> None:
        codes = {shipped["code"] for shipped in shipped_policies()}

        assert codes <= set(Policy.objects.values_list("code", flat=True))
        assert ensure_builtin_policies(now=NOW) == []

    def test_brings_a_new_table_in_place_of_the_shipped_one(self) -> None:
        PolicyVersion.objects.filter(policy__code=CREDIT).delete()
        PolicyVersion.objects.create(
            policy=Policy.objects.get(code=CREDIT),
            number=1,
            table={"hit": "first", "rows": []},
            state="active",
            created_at=NOW,
            activated_at=NOW,
            valid_from=NOW,
        )

        assert ensure_builtin_policies(now=NOW) == [CREDIT]
        assert active() == [(2, None)]

    def test_leaves_what_a_person_put_into_force(self, author: User, boss: User) -> None:
        activate_version(version_id=write(author).pk, actor=boss, now=NOW)

        assert ensure_builtin_policies(now=NOW) == []
        assert active() == [(2, None)]


@pytest.mark.django_db(transaction=True)
def test_shipped_policies_survive_a_flush() -> None:
    assert Policy.objects.filter(code=CREDIT).exists()


@pytest.mark.django_db
class TestActivateVersion:
    def test_takes_the_place_of_the_active_one(self, author: User, boss: User) -> None:
        version = write(author)

        activate_version(version_id=version.pk, actor=boss, now=NOW)
        activate_version(version_id=version.pk, actor=boss, now=NOW)

        assert active() == [(2, None)]
        assert PolicyVersion.objects.get(policy__code=CREDIT, number=1).state == "retired"

    def test_leaves_other_entities_alone(self, author: User, boss: User, entity: Entity) -> None:
        activate_version(version_id=write(author, entity).pk, actor=boss, now=NOW)

        assert active() == [(1, None), (2, entity.pk)]

    def test_refuses_the_author_under_any_account(self, author: User) -> None:
        version = write(author)
        twin = User.objects.create_user("twin", employee_ref="E1", is_superuser=True)

        for actor in (author, twin):
            with pytest.raises(OwnVersion):
                activate_version(version_id=version.pk, actor=actor, now=NOW)

        assert active() == [(1, None)]

    def test_the_database_refuses_the_author(self, author: User) -> None:
        version = write(author)

        with pytest.raises(IntegrityError), transaction.atomic():
            PolicyVersion.objects.filter(pk=version.pk).update(activated_by=author)

    @pytest.mark.parametrize(
        "rows",
        [
            [{"when": [["on_hold", "=", True]], "then": OUTCOME}],
            [{"when": [], "then": OUTCOME}, {"when": [], "then": OUTCOME}],
            [
                {"when": [["total", ">", 5], ["total", "<", 5]], "then": OUTCOME},
                {"when": [], "then": OUTCOME},
            ],
        ],
    )
    def test_refuses_a_table_with_faults(self, author: User, boss: User, rows: list) -> None:
        version = write(author, table={"rows": rows})

        with pytest.raises(PolicyRefused):
            activate_version(version_id=version.pk, actor=boss, now=NOW)

        assert active() == [(1, None)]

    def test_does_not_bring_back_a_retired_one(self, author: User, boss: User) -> None:
        first = PolicyVersion.objects.get(policy__code=CREDIT)
        activate_version(version_id=write(author).pk, actor=boss, now=NOW)

        with pytest.raises(VersionNotOpen):
            activate_version(version_id=first.pk, actor=boss, now=NOW)


@pytest.mark.django_db
class TestRetireVersion:
    def test_only_an_entity_s_own(self, author: User, boss: User, entity: Entity) -> None:
        own = activate_version(version_id=write(author, entity).pk, actor=boss, now=NOW)

        retire_version(version_id=own.pk, actor=boss, now=NOW)

        assert active() == [(1, None)]
        everybody = PolicyVersion.objects.get(policy__code=CREDIT, number=1)
        with pytest.raises(VersionNotOpen):
            retire_version(version_id=everybody.pk, actor=boss, now=NOW)


@pytest.mark.django_db
class TestWriteVersion:
    def test_refuses_what_cannot_be_read(self, author: User) -> None:
        with pytest.raises(PolicyRefused) as refused:
            write(author, table={"rows": [{"when": [["x", "=", 1]], "then": OUTCOME}]})

        assert refused.value.errors[0]["field"] == "table.rows[0]"
        assert active() == [(1, None)]


@pytest.mark.django_db
class TestSelectors:
    def test_show_the_table_in_words(self, author: User, boss: User) -> None:
        page = policy_page(code=CREDIT, entity_ids=[], now=NOW)

        assert page is not None
        assert ["exposure after > limit"] in [row.conditions for row in page.rows]
        assert page.rows[-1].conditions == []
        row = next(row for row in policies(now=NOW) if row.code == CREDIT)
        assert (row.active, row.activated_by) == ("v1", "")

    def test_hide_other_entities_versions(self, author: User, entity: Entity) -> None:
        write(author, entity)

        assert policy_page(code=CREDIT, entity_ids=[], number=2, now=NOW) is None
        assert policy_page(code=CREDIT, entity_ids=[entity.pk], number=2, now=NOW) is not None

    @pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda i: i.code)
    def test_every_promise_can_be_checked(self, invariant) -> None:
        assert check(invariant).violations == 0


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_two_activations_at_once_leave_one_active(self) -> None:
        author, boss = User.objects.create_user("author"), User.objects.create_user("boss")
        versions = [write(author) for _ in range(2)]
        ready = Barrier(2)

        def put(version: PolicyVersion) -> None:
            try:
                ready.wait()
                activate_version(version_id=version.pk, actor=boss, now=NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(put, versions))

        assert len(active()) == 1
