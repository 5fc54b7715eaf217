"""erp/governance/services/_recording.py: the audit trail."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import structlog
from django.db import IntegrityError, transaction
from django.db.utils import InternalError

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry
from erp.governance.selectors import timeline
from erp.governance.services import Change, record
from erp.kernel.sql import run
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def change(entity: Entity | None, n: int = 1, **values: Any) -> Change:
    return Change(
        entity and entity.pk, "orders.submit", "orders.order", n, f"orders.order:{n}", **values
    )


class TestRecord:
    def test_writes_all_in_one_statement(
        self, entity: Entity, clerk: User, django_assert_num_queries
    ) -> None:
        changes = [change(entity, n, after={"state": "submitted"}) for n in range(100)]

        with transaction.atomic(), django_assert_num_queries(1):
            record(changes=changes, actor=clerk, now=NOW)

        assert AuditEntry.objects.filter(actor=clerk, actor_kind="person").count() == 100

    def test_keeps_exact_values(self, entity: Entity) -> None:
        before = {"total": Decimal("10.10"), "on": date(2026, 1, 2), "at": NOW}
        said = 'He said "it\'s {due}" \\ 100 %'
        record(changes=[change(entity, before=before, reason=said)], actor=None, now=NOW)

        entry = AuditEntry.objects.get()
        assert entry.before == {"total": "10.10", "on": "2026-01-02", "at": "2026-11-22T09:30:00Z"}
        assert entry.after is None
        assert entry.reason == said
        assert (entry.actor, entry.actor_kind) == (None, "system")

    def test_names_the_request(self, entity: Entity) -> None:
        with structlog.contextvars.bound_contextvars(request_id="r-12345678"):
            record(changes=[change(entity)], actor=None, now=NOW)

        assert AuditEntry.objects.get().request_id == "r-12345678"

    def test_writes_nothing_for_no_change(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            record(changes=[], actor=None, now=NOW)

    def test_cannot_be_changed_by_raw_sql(self, entity: Entity) -> None:
        record(changes=[change(entity)], actor=None, now=NOW)

        for statement in (
            "UPDATE governance_auditentry SET reason = 'other'",
            "DELETE FROM governance_auditentry",
        ):
            with (
                pytest.raises(InternalError, match="Cannot update or delete"),
                transaction.atomic(),
            ):
                run(statement)

        assert AuditEntry.objects.get().reason == ""

    def test_only_the_house_itself_has_no_name(self, entity: Entity) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            AuditEntry.objects.create(
                at=NOW, entity=entity, actor=None, actor_kind="person", action="x",
                subject_kind="x", subject_id=1, thread="x:1",
            )  # fmt: skip


class TestTimeline:
    def test_tells_one_document_s_story_to_those_of_its_entity(
        self, entity: Entity, clerk: User
    ) -> None:
        far = Entity.objects.create(code="DE01", name="DE", currency="EUR", country="DE")
        record(changes=[change(entity), change(entity, 2)], actor=clerk, now=NOW)
        record(
            changes=[change(far, reason="far"), change(None, reason="all", after={"state": "b"})],
            actor=None,
            now=NOW,
        )

        rows = timeline(thread="orders.order:1", entity_ids=[entity.pk])

        assert [(row.actor_name, row.reason) for row in rows] == [("", "all"), ("clerk", "")]
        assert (rows[0].before, rows[0].after) == (None, {"state": "b"})
