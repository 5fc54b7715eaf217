"""erp/governance/services/_replaying.py: what a version would have decided."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from erp.accounts.models import Entity, User
from erp.governance import tasks
from erp.governance.models import (
    DecisionRecord,
    Policy,
    PolicyReplay,
    PolicyReplayChange,
    PolicyVersion,
)
from erp.governance.services import (
    BadPeriod,
    Question,
    activate_version,
    advance_replay,
    ask_replay,
    claim_replay,
    decide,
    write_version,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
CREDIT = "orders.release.credit"
DAY = timedelta(days=1)
NO_HOLD = {"hold": False, "owner_role": "", "reason": ""}
HOLD = {"hold": True, "owner_role": "credit", "reason": "Over 80 %."}
STRICTER = [
    {"when": [["exposure_after", ">", {"field": "limit", "times": "0.8"}]], "then": HOLD},
    {"when": [], "then": NO_HOLD},
]


@pytest.fixture
def author(db: None) -> User:
    return User.objects.create_user("author")


@pytest.fixture
def far(db: None) -> Entity:
    return Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")


def draft(author: User, rows: Any = STRICTER, entity: Entity | None = None) -> PolicyVersion:
    return write_version(
        policy=CREDIT, entity_id=entity and entity.pk, table={"rows": rows}, author=author, now=NOW
    )


def ask(version: PolicyVersion, actor: User, *entities: Entity, days: int = 90) -> PolicyReplay:
    return ask_replay(
        version_id=version.pk, entity_ids=[e.pk for e in entities], days=days, actor=actor, now=NOW
    )


def run_all(replay: PolicyReplay, limit: int = 50) -> PolicyReplay:
    while advance_replay(replay_id=replay.pk, now=NOW, limit=limit):
        pass
    return PolicyReplay.objects.get(pk=replay.pk)


def history(entities: Sequence[Entity], count: int = 300) -> None:
    """Decide about orders over ninety days; some orders several times, some on hold."""
    random = Random(7)
    for n in range(count):
        facts = {
            "limit": Decimal(1000),
            "exposure_after": Decimal(random.randrange(500, 1300)),
            "overdue_days": 0,
            "overdue_amount": Decimal(0),
            "total": Decimal(random.randrange(10, 500)),
            "on_hold": random.random() < 0.1,
            "tier": random.choice("ABC"),
        }
        subject = n % max(count - 40, 25)
        asked = Question(entities[n % len(entities)].pk, "orders.order", subject, facts)
        decide(policy=CREDIT, questions=[asked], now=NOW - DAY * random.randrange(1, 120))


def brute_force(since_days: int, entities: Sequence[Entity]) -> dict[int, dict[str, Any]]:
    """Say one by one, without any of our tables, which orders come to another answer."""
    found: dict[int, dict[str, Any]] = {}
    kept = DecisionRecord.objects.filter(
        at__gte=NOW - DAY * since_days, at__lt=NOW, entity__in=entities
    )
    for each in kept.order_by("at", "pk"):
        holds = Decimal(each.inputs["exposure_after"]) > Decimal(each.inputs["limit"]) * 8 / 10
        after = HOLD if holds else NO_HOLD
        if each.outcome != after:
            found[each.subject_id] = {
                "before": each.outcome, "after": after, "amount": Decimal(each.inputs["total"]),
            }  # fmt: skip
    return found


class TestAskReplay:
    def test_asked_again_it_is_the_same_while_it_waits(self, author: User, entity: Entity) -> None:
        version = draft(author)

        first = ask(version, author, entity)

        assert ask(version, author, entity).pk == first.pk
        assert ask(version, author, entity, days=30).pk != first.pk
        run_all(first)
        assert ask(version, author, entity).pk != first.pk

    @pytest.mark.parametrize("days", [0, 367])
    def test_refuses_another_period(self, author: User, entity: Entity, days: int) -> None:
        with pytest.raises(BadPeriod):
            ask(draft(author), author, entity, days=days)

        assert not PolicyReplay.objects.exists()

    def test_of_an_entity_s_version_only_its_decisions_are_read(
        self, author: User, entity: Entity, far: Entity
    ) -> None:
        history([entity, far], 60)

        replay = run_all(ask(draft(author, entity=far), author, entity, far))

        assert replay.entities == [far.pk]
        entities = replay.changes.values_list("entity", flat=True)
        assert set(entities) == {far.pk}


class TestAdvanceReplay:
    def test_finds_exactly_the_orders_that_change(
        self, author: User, entity: Entity, far: Entity
    ) -> None:
        history([entity, far])

        replay = run_all(ask(draft(author), author, entity, far))

        expected = brute_force(90, [entity, far])
        found = {c.subject_id: c for c in replay.changes.all()}
        assert len(expected) > 50
        assert found.keys() == expected.keys()
        for subject, change in found.items():
            said = expected[subject]
            assert (change.before, change.after) == (said["before"], said["after"])
            assert change.amount == said["amount"]
            assert change.effect == (
                "differs"
                if change.before["hold"] == change.after["hold"]
                else ("loses" if change.after["hold"] else "gains")
            )
            assert change.currency == ("USD" if change.entity_id == entity.pk else "EUR")
            assert change.after_row == (0 if change.after["hold"] else 1)
        assert (replay.state, replay.unable, replay.skipped) == ("done", 0, 0)
        assert replay.done == replay.total == sum(t[0] for t in replay.totals["hold"].values())

    def test_reads_only_the_days_and_entities_asked_for(
        self, author: User, entity: Entity, far: Entity
    ) -> None:
        history([entity, far])

        replay = run_all(ask(draft(author), author, entity, days=30))

        assert set(replay.changes.values_list("subject_id", flat=True)) == set(
            brute_force(30, [entity])
        )

    @pytest.mark.parametrize("limit", [1, 7, 1000])
    def test_the_size_of_a_piece_changes_nothing(
        self, author: User, entity: Entity, limit: int
    ) -> None:
        history([entity], 40)

        replay = run_all(ask(draft(author), author, entity), limit)

        assert replay.changes.count() == len(brute_force(90, [entity]))
        assert replay.done == replay.total

    def test_goes_on_where_a_killed_worker_was(self, author: User, entity: Entity) -> None:
        history([entity], 100)
        replay = ask(draft(author), author, entity)
        advance_replay(replay_id=replay.pk, now=NOW, limit=20)
        with pytest.raises(RuntimeError), transaction.atomic():
            advance_replay(replay_id=replay.pk, now=NOW, limit=20)
            raise RuntimeError("killed between the piece and its commit")
        half = PolicyReplay.objects.get(pk=replay.pk)

        done = run_all(replay, 20)

        assert (half.state, half.done) == ("running", 20)
        assert done.done == done.total
        assert set(done.changes.values_list("subject_id", flat=True)) == set(
            brute_force(90, [entity])
        )
        assert sum(pair[0] for pair in done.totals["hold"].values()) == done.done

    def test_a_record_without_a_new_fact_cannot_be_replayed_and_says_why(
        self, author: User, entity: Entity
    ) -> None:
        history([entity], 30)
        policy = Policy.objects.get(code=CREDIT)
        policy.fields = {**policy.fields, "country": "text"}
        policy.save(update_fields=["fields"])
        rows = [
            {"when": [["on_hold", "=", True]], "then": HOLD},
            {"when": [["country", "=", "US"], ["exposure_after", ">", 900]], "then": HOLD},
            {"when": [], "then": NO_HOLD},
        ]

        replay = run_all(ask(draft(author, rows), author, entity, days=366))

        unsure = [
            each
            for each in DecisionRecord.objects.all()
            if not each.inputs["on_hold"] and Decimal(each.inputs["exposure_after"]) > 900
        ]
        assert 0 < len(unsure) < 30
        assert replay.unable == len(unsure)
        assert replay.reasons == {"The record does not hold country.": len(unsure)}

    def test_leaves_alone_what_a_nearer_version_decides(
        self, author: User, entity: Entity, far: Entity
    ) -> None:
        boss = User.objects.create_user("boss")
        own = draft(author, [{"when": [], "then": NO_HOLD}], far)
        activate_version(version_id=own.pk, actor=boss, now=NOW - DAY * 200)
        history([entity, far], 60)

        replay = run_all(ask(draft(author), author, entity, far))

        assert replay.skipped == sum(
            DecisionRecord.objects.filter(entity=far, at__gte=NOW - 90 * DAY).values_list(
                "entity", flat=True
            ).count() for _ in [0]
        )  # fmt: skip
        assert set(replay.changes.values_list("entity", flat=True)) == {entity.pk}

    def test_ends_once_and_stays_so(self, author: User, entity: Entity) -> None:
        replay = run_all(ask(draft(author), author, entity))

        assert not advance_replay(replay_id=replay.pk, now=NOW)
        assert PolicyReplay.objects.get(pk=replay.pk).finished_at == NOW

    def test_a_change_is_kept_once_per_subject(self, author: User, entity: Entity) -> None:
        history([entity], 20)
        change = run_all(ask(draft(author), author, entity)).changes.all()[0]
        change.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            change.save(force_insert=True)

        assert PolicyReplayChange.objects.filter(subject_id=change.subject_id).count() == 1


class TestClaimReplay:
    def test_takes_what_nobody_advances(self, author: User, entity: Entity) -> None:
        replay = ask(draft(author), author, entity)

        assert claim_replay(now=NOW) == replay.pk
        assert claim_replay(now=NOW + timedelta(seconds=19)) is None
        assert claim_replay(now=NOW + timedelta(seconds=21)) == replay.pk

    def test_a_worker_carries_it_to_its_end(self, author: User, entity: Entity) -> None:
        replay = ask(draft(author), author, entity)

        tasks.replay_waiting()

        assert PolicyReplay.objects.get(pk=replay.pk).state == "done"
