"""Decisions as data: policies and the versions of their tables.

Version: DRAFT --submit--> REVIEWED --activate--> ACTIVE --retire--> RETIRED
         DRAFT, REVIEWED --activate--> ACTIVE
"""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.governance.rules import Schema, Term, traits_of


class Policy(models.Model):
    """One named decision, such as `orders.release.credit`.

    `fields` are the facts it may ask about, `outcomes` what each of its rows answers; both map a
    name to `number`, `text`, `flag` or `date`. They and `traits` (rules/traits.py) belong to the
    code that asks. `limits` (rules/limits.py) bind the versions of one entity or node; they are the
    shipped ones until somebody changes them (`limits_by`).
    """

    code = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    fields = models.JSONField(default=dict)
    outcomes = models.JSONField(default=dict)
    traits = models.JSONField(default=dict, blank=True)
    limits = models.JSONField(default=dict, blank=True)
    limits_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    limits_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.code

    @property
    def schema(self) -> Schema:
        """What a table of this policy is read against."""
        return Schema(self.fields, self.outcomes, traits_of(self.traits))


class PolicyVersion(FSMModelMixin, models.Model):
    """One version of a policy's decision table, for all entities or for one, or a node of it.

    `entity` is null when it is for all; `node` is the code of the entity's node, or empty.
    `table` is `{"hit": "first"|"collect", "rows": [{"when": [...], "then": {...}}]}`; once the
    version is no draft it never changes. `author` is null on what the software brought along.
    Active, it decides from `valid_from` until `valid_until` (excluded; null is open), by
    rules/standing.py; before, they are what the author proposes.
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
    node = models.CharField(max_length=20, blank=True, default="")
    number = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    table = models.JSONField()
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    activated_at = models.DateTimeField(null=True, blank=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [
            ("write_policy", "Can write a policy version"),
            ("activate_policy", "Can activate a policy version"),
            ("limit_policy", "Can change what entities may override"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "number"], name="governance_version_once_per_policy"
            ),
            models.UniqueConstraint(
                fields=["policy", "entity", "node", "valid_from"],
                condition=Q(state="active"),
                nulls_distinct=False,
                name="governance_version_begins_alone",
            ),
            models.CheckConstraint(
                condition=Q(node="") | Q(entity__isnull=False),
                name="governance_version_node_has_its_entity",
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
                condition=Q(state="draft", submitted_at=None)
                | Q(state="reviewed", submitted_at__isnull=False)
                | Q(state__in=["active", "retired"]),
                name="governance_version_submitted_at_is_set_once_reviewed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "reviewed"], activated_at=None)
                | Q(
                    state__in=["active", "retired"],
                    activated_at__isnull=False,
                    valid_from__isnull=False,
                ),
                name="governance_version_activated_at_is_set_once_active",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gt=F("valid_from")),
                name="governance_version_ends_after_it_begins",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="table_is_settled",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="draft")
                & pgtrigger.Q(old__table__df=pgtrigger.F("new__table")),
            ),
            pgtrigger.Protect(
                name="term_is_settled",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["active", "retired"])
                & (
                    pgtrigger.Q(old__valid_from__df=pgtrigger.F("new__valid_from"))
                    | pgtrigger.Q(old__valid_until__df=pgtrigger.F("new__valid_until"))
                    | pgtrigger.Q(old__entity_id__df=pgtrigger.F("new__entity_id"))
                    | pgtrigger.Q(old__node__df=pgtrigger.F("new__node"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of policy {self.policy_id}"

    @property
    def term(self) -> Term[int]:
        """When and where an active version may decide."""
        assert self.valid_from is not None
        return Term(self.pk, (self.entity_id, self.node), self.valid_from, self.valid_until)

    @transition(field=state, source=State.DRAFT, target=State.REVIEWED)
    def submit(self, *, by_id: int, at: datetime) -> None:
        self.submitted_by_id, self.submitted_at = by_id, at

    @transition(field=state, source=[State.DRAFT, State.REVIEWED], target=State.ACTIVE)
    def activate(
        self, *, by_id: int | None, at: datetime, since: datetime, until: datetime | None = None
    ) -> None:
        self.activated_by_id, self.activated_at = by_id, at
        self.valid_from, self.valid_until = since, until

    @transition(field=state, source=State.ACTIVE, target=State.RETIRED)
    def retire(self, *, at: datetime) -> None:
        self.retired_at = at
