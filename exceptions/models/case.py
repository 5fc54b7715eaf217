"""An exception case and its life.

OPEN --assign--> ASSIGNED --acknowledge--> ACKNOWLEDGED --start--> IN_PROGRESS --wait--> WAITING
any open state but OPEN --hand_back--> OPEN
any open state --resolve--> RESOLVED, --dismiss--> DISMISSED;  RESOLVED, DISMISSED --reopen--> OPEN
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField
from erp.kernel.sql import rows

# Few of many, and counted on every queue page: each has a small index of its own.
COUNTED: Mapping[str, Q] = {
    "unowned": Q(owner=None),
    "strategic": Q(tier="A"),
    "escalated": Q(escalation_level__gt=0),
    "waiting": Q(state="waiting"),
    "snoozed": Q(snoozed_until__isnull=False),
}
DETECTING = 41_005  # our corner of the database's advisory locks


class WaitingOn(models.TextChoices):
    """With whom a case waits that is not on our desk."""

    CUSTOMER = "customer", "Customer"
    SUPPLIER = "supplier", "Supplier"
    CARRIER = "carrier", "Carrier"
    SYSTEM = "system", "Another system"


class ExceptionCaseQuerySet(models.QuerySet["ExceptionCase"]):
    def within(self, entity_ids: Collection[int]) -> "ExceptionCaseQuerySet":
        return self.filter(entity_id__in=entity_ids)

    def lock(self, case_id: int) -> "ExceptionCase":
        """Return the case, locked until the transaction ends.

        Raises:
            ExceptionCase.DoesNotExist: there is no such case.
        """
        return self.select_for_update(of=["self"]).get(pk=case_id)

    def settle(self, types: Collection[str]) -> None:
        """Let nobody else detect conditions of these types until the transaction ends.

        What is read after this was not decided on by anybody else meanwhile. Taken before any
        case's own lock.
        """
        for code in sorted(set(types)):
            rows("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [DETECTING, code])


class ExceptionCase(FSMModelMixin, models.Model):
    """One open condition of the world about one subject (`orders.line`:id).

    At most one is open per type and subject. `expected_loss` is in `currency`; `reasons` are the
    figures behind it, `rank` is about its worth in US dollars, to order cases by and for nothing
    else. Clocks are UTC moments reckoned in the entity's business time; who has not begun by
    `start_by` is not likely to be done in time. `is_muted` marks a
    dismissed case whose condition still holds: it opens no other until it is over. A waiting case
    says on whom, and when we ask again; `clock_stopped_at` is set while its resolve clock stands
    still. A snoozed one is out of its owner's sight until then; its clocks run on.
    `worked_minutes` is, once closed, the business time it lay on our own desks. `cause` is what
    brought the condition about (a purchase order): a case about that is its parent.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ASSIGNED = "assigned", "Assigned"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        IN_PROGRESS = "in_progress", "In progress"
        WAITING = "waiting", "Waiting"
        RESOLVED = "resolved", "Resolved"
        DISMISSED = "dismissed", "Dismissed"

    LIVE = [State.OPEN, State.ASSIGNED, State.ACKNOWLEDGED, State.IN_PROGRESS, State.WAITING]

    type = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    subject_label = models.CharField(max_length=120)
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(
        "orders.Order", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children",
        db_index=False,
    )  # fmt: skip
    is_merged = models.BooleanField(default=False, db_default=False)  # hung there by a person
    cause_kind = models.CharField(max_length=40, blank=True, db_default="")
    cause_id = models.BigIntegerField(null=True, blank=True)
    party = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=1, blank=True)
    summary = models.CharField(max_length=300)
    severity = models.PositiveSmallIntegerField(default=4)
    expected_loss = AmountField(default=0)
    rank = AmountField(default=0)
    currency = models.CharField(max_length=3)
    reasons = models.JSONField(default=dict)
    policy_version = models.CharField(max_length=60, blank=True)
    queue = models.CharField(max_length=30)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    opened_at = models.DateTimeField()
    acknowledge_by = models.DateTimeField()
    start_by = models.DateTimeField(null=True, blank=True)
    resolve_by = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    resolution = models.CharField(max_length=300, blank=True)
    is_muted = models.BooleanField(default=False)
    waiting_on = models.CharField(max_length=10, choices=WaitingOn, blank=True, db_default="")
    follow_up_at = models.DateTimeField(null=True, blank=True)
    clock_stopped_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    escalation_level = models.PositiveSmallIntegerField(default=0)
    reopened_count = models.PositiveSmallIntegerField(default=0)
    worked_minutes = models.PositiveIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField()

    objects = ExceptionCaseQuerySet.as_manager()

    class Meta:
        permissions = [
            ("work_case", "Can work an exception case"),
            ("dismiss_case", "Can dismiss an exception case"),
            ("approve_play", "Can agree to somebody's way out of a case"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "open",
                        "assigned",
                        "acknowledged",
                        "in_progress",
                        "waiting",
                        "resolved",
                        "dismissed",
                    ]
                ),
                name="exceptions_case_state_known",
            ),
            models.UniqueConstraint(
                fields=["type", "subject_kind", "subject_id"],
                condition=~Q(state__in=["resolved", "dismissed"]),
                name="exceptions_case_one_open_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["resolved", "dismissed"], resolved_at__isnull=False)
                | ~Q(state__in=["resolved", "dismissed"]) & Q(resolved_at=None),
                name="exceptions_case_resolved_at_is_set_once_resolved",
            ),
            models.CheckConstraint(
                condition=Q(severity__gte=1, severity__lte=4), name="exceptions_case_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", follow_up_at__isnull=False) & ~Q(waiting_on="")
                | ~Q(state="waiting") & Q(waiting_on="", follow_up_at=None, clock_stopped_at=None),
                name="exceptions_case_waits_on_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(parent=F("id")), name="exceptions_case_is_not_its_own_parent"
            ),
        ]
        indexes = [
            models.Index(
                F("entity"),
                F("severity"),
                F("rank") * -1,
                F("id"),
                name="exceptions_case_queue",
                condition=~Q(state__in=["resolved", "dismissed"]) & Q(parent=None),
            ),
            models.Index(
                fields=["entity", "resolve_by", "id"],
                name="exceptions_case_by_clock",
                condition=~Q(state__in=["resolved", "dismissed"]) & Q(parent=None),
            ),
            models.Index(
                fields=["entity", "queue"],
                name="exceptions_case_of_queue",
                condition=~Q(state__in=["resolved", "dismissed"]) & Q(parent=None),
            ),
            *(
                models.Index(
                    fields=["entity"],
                    name=f"exceptions_case_{name}",
                    condition=~Q(state__in=["resolved", "dismissed"]) & Q(parent=None) & which,
                )
                for name, which in COUNTED.items()
            ),
            models.Index(
                fields=["cause_id", "cause_kind"],
                name="exceptions_case_of_cause",
                condition=~Q(state__in=["resolved", "dismissed"]) & Q(cause_id__isnull=False),
            ),
            models.Index(
                fields=["owner", "entity"],
                name="exceptions_case_of_owner",
                condition=~Q(state__in=["resolved", "dismissed"]),
            ),
            models.Index(fields=["entity", "-resolved_at"], name="exceptions_case_closed"),
            models.Index(fields=["subject_id", "subject_kind"], name="exceptions_case_of_subject"),
            models.Index(
                fields=["parent"],
                name="exceptions_case_of_parent",
                condition=Q(parent__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_label}"

    @transition(field=state, source=[State.OPEN, State.ASSIGNED], target=State.ASSIGNED)
    def assign(self, *, to_id: int) -> None:
        self.owner_id = to_id

    @transition(field=state, source=[State.OPEN, State.ASSIGNED], target=State.ACKNOWLEDGED)
    def acknowledge(self, *, by_id: int, at: datetime) -> None:
        self.owner_id, self.acknowledged_at = by_id, at

    @transition(
        field=state,
        source=[State.ASSIGNED, State.ACKNOWLEDGED, State.IN_PROGRESS, State.WAITING],
        target=State.OPEN,
    )
    def hand_back(self) -> None:
        self.owner_id, self.acknowledged_at = None, None
        self._wait_no_more()

    @transition(
        field=state,
        source=[State.OPEN, State.ASSIGNED, State.ACKNOWLEDGED, State.WAITING],
        target=State.IN_PROGRESS,
    )
    def start(self) -> None:
        self._wait_no_more()

    @transition(
        field=state,
        source=[State.ASSIGNED, State.ACKNOWLEDGED, State.IN_PROGRESS],
        target=State.WAITING,
    )
    def wait(self, *, on: str, ask_again_at: datetime, clock_stopped_at: datetime | None) -> None:
        self.waiting_on, self.follow_up_at = on, ask_again_at
        self.clock_stopped_at = clock_stopped_at

    @transition(field=state, source=LIVE, target=State.RESOLVED)
    def resolve(self, *, by_id: int | None, at: datetime, resolution: str) -> None:
        self.resolved_by_id, self.resolved_at, self.resolution = by_id, at, resolution
        self._wait_no_more()

    @transition(field=state, source=LIVE, target=State.DISMISSED)
    def dismiss(self, *, by_id: int | None, at: datetime, resolution: str) -> None:
        self.resolved_by_id, self.resolved_at, self.resolution = by_id, at, resolution
        self.is_muted = True
        self._wait_no_more()

    @transition(field=state, source=[State.RESOLVED, State.DISMISSED], target=State.OPEN)
    def reopen(self) -> None:
        self.resolved_by_id, self.resolved_at, self.resolution = None, None, ""
        self.acknowledged_at, self.is_muted = None, False
        self.reopened_count += 1

    def _wait_no_more(self) -> None:
        self.waiting_on, self.follow_up_at, self.clock_stopped_at = "", None, None
        self.snoozed_until = None
