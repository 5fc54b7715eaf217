"""Decisions as data: policies, their versions, and every decision taken by one.

Version: DRAFT --review--> REVIEWED --activate--> ACTIVE --retire--> RETIRED
"""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition


class Policy(models.Model):
    """One named decision, such as `orders.release.credit`.

    `fields` are the facts it may ask about, `outcomes` what each of its rows answers; both map a
    name to `number`, `text`, `flag` or `date`. They belong to the code that asks.
    """

    code = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    fields = models.JSONField(default=dict)
    outcomes = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.code


class PolicyVersion(FSMModelMixin, models.Model):
    """One version of a policy's decision table, for all entities (`entity` null) or for one.

    `table` is `{"hit": "first"|"collect", "rows": [{"when": [...], "then": {...}}]}`; once the
    version is no draft it never changes. `author` is null on what the software brought along.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        REVIEWED = "reviewed", "Reviewed"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    entity = models.ForeignKey(
        "accounts.Entity", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    table = models.JSONField()
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [
            ("write_policy", "Can write a policy version"),
            ("activate_policy", "Can activate a policy version"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "number"], name="governance_version_once_per_policy"
            ),
            models.UniqueConstraint(
                fields=["policy", "entity"],
                condition=Q(state="active"),
                nulls_distinct=False,
                name="governance_version_one_active",
            ),
            models.CheckConstraint(
                condition=Q(activated_by=None) | ~Q(activated_by=F("author")),
                name="governance_version_activated_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "reviewed", "active", "retired"]),
                name="governance_version_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "reviewed"], activated_at=None)
                | Q(state__in=["active", "retired"], activated_at__isnull=False),
                name="governance_version_activated_at_is_set_once_active",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="table_is_settled",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="draft")
                & pgtrigger.Q(old__table__df=pgtrigger.F("new__table")),
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of policy {self.policy_id}"

    @transition(field=state, source=State.DRAFT, target=State.REVIEWED)
    def review(self) -> None:
        pass

    @transition(field=state, source=[State.DRAFT, State.REVIEWED], target=State.ACTIVE)
    def activate(self, *, by_id: int | None, at: datetime) -> None:
        self.activated_by_id, self.activated_at = by_id, at

    @transition(field=state, source=State.ACTIVE, target=State.RETIRED)
    def retire(self, *, at: datetime) -> None:
        self.retired_at = at


class DecisionRecord(models.Model):
    """One decision: the version that took it, on what inputs, with what outcome. Append-only."""

    at = models.DateTimeField()
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="decisions")
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    inputs = models.JSONField()
    outcome = models.JSONField()
    row = models.SmallIntegerField(null=True)  # which row of the table decided; null: none did

    class Meta:
        indexes = [
            models.Index(
                fields=["subject_id", "subject_kind"], name="governance_decision_of_subject"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}"
