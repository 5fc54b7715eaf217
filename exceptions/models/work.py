"""What hangs on a case: its timers, what people wrote, and the plays they ran."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from exceptions.models.case import ExceptionCase


class CaseTimerQuerySet(models.QuerySet["CaseTimer"]):
    def claim_due(self, now: datetime, limit: int) -> "list[CaseTimer]":
        """Return up to `limit` timers that are due, earliest first, locked with their cases.

        A timer whose case somebody is changing right now is left for the next time.
        """
        due = self.filter(due_at__lte=now, fired_at=None, cancelled_at=None)
        return list(
            due.select_related("case")
            .select_for_update(skip_locked=True)
            .order_by("due_at", "id")[:limit]
        )


class CaseTimer(models.Model):
    """Something that must happen to a case at `due_at` unless it is over by then. Fires once.

    Step 0 stands for a moment that the case itself names; later ones ask again after it. `repeat`
    counts how often the step of the ladder was said again before this.
    """

    class Kind(models.TextChoices):
        ACKNOWLEDGE = "acknowledge"
        RESOLVE = "resolve"
        PREDICTED = "predicted"  # the resolve clock will run out if nobody starts by now
        FOLLOW_UP = "follow_up"  # whom it waits on has had time enough

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="timers")
    kind = models.CharField(max_length=20, choices=Kind)
    step = models.PositiveSmallIntegerField(default=0, db_default=0)
    repeat = models.PositiveSmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = CaseTimerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "due_at"],
                condition=Q(cancelled_at=None),
                name="exceptions_timer_once_per_step",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="exceptions_timer_due",
                condition=Q(fired_at=None, cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.case_id} at {self.due_at}"


class CaseInterval(models.Model):
    """How long a case lay with whom: its owner's desk (or the queue's), or somebody outside.

    The intervals of a case follow each other without a gap while it is live; one of them is open.
    """

    class Party(models.TextChoices):
        OWNER = "owner", "Our desk"
        CUSTOMER = "customer", "Customer"
        SUPPLIER = "supplier", "Supplier"
        CARRIER = "carrier", "Carrier"
        SYSTEM = "system", "Another system"

    case = models.ForeignKey(
        ExceptionCase, on_delete=models.CASCADE, related_name="intervals", db_index=False
    )
    party = models.CharField(max_length=10, choices=Party)
    queue = models.CharField(max_length=30)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(until=None), name="exceptions_interval_one_open"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")),
                name="exceptions_interval_ends_after_it_began",
            ),
        ]
        indexes = [models.Index(fields=["case", "since"], name="exceptions_interval_of_case")]

    def __str__(self) -> str:
        return f"{self.case_id} with {self.party} since {self.since}"


class CaseComment(models.Model):
    """What a person wrote on a case."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:50]


class PlayRun(models.Model):
    """A play that was run on a case, beside the others that were offered. Kept for ever.

    Without `run_by` the house ran it, by `policy_version`. `made` is what undoing it needs; it can
    be undone until `undo_until` (none: never). One that was undone stays, with who and why.
    """

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="play_runs")
    key = models.CharField(max_length=40)
    chosen = models.JSONField()
    alternatives = models.JSONField(default=list)
    made = models.JSONField(default=dict)
    run_at = models.DateTimeField()
    run_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(max_length=300)
    policy_version = models.CharField(max_length=60, blank=True, db_default="")
    undo_until = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    undo_reason = models.CharField(max_length=300, blank=True, db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at=None, undo_reason="")
                | (Q(undone_at__isnull=False) & ~Q(undo_reason="")),
                name="exceptions_playrun_undone_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} on {self.case_id}"


class PlayRequestQuerySet(models.QuerySet["PlayRequest"]):
    def lock(self, request_id: int) -> "PlayRequest":
        """Return one request, locked, with its case.

        Raises:
            PlayRequest.DoesNotExist: there is no such request.
        """
        return self.select_for_update(of=("self",)).select_related("case").get(pk=request_id)


class PlayRequest(FSMModelMixin, models.Model):
    """A play that waits for somebody's agreement; agreed to, it runs if nothing moved.

    ```
    pending ──run──▶ run
        └────drop──▶ dropped
    ```
    `fingerprint` is the play as it was asked about, in short.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waits for agreement"
        RUN = "run", "Run"
        DROPPED = "dropped", "Dropped"

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="play_requests")
    key = models.CharField(max_length=60)
    chosen = models.JSONField()
    alternatives = models.JSONField(default=list)
    fingerprint = models.CharField(max_length=64)
    state = FSMField(choices=State, default=State.PENDING, protected=True)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True)

    objects = PlayRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "run", "dropped"]),
                name="exceptions_playrequest_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at=None)
                | Q(state__in=["run", "dropped"], settled_at__isnull=False),
                name="exceptions_playrequest_settled_at_is_set_once_settled",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(state="pending"),
                name="exceptions_playrequest_one_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} asked for on {self.case_id}"

    @transition(field=state, source=State.PENDING, target=State.RUN)
    def run(self, *, at: datetime, outcome: str) -> None:
        self.settled_at, self.outcome = at, outcome[:300]

    @transition(field=state, source=State.PENDING, target=State.DROPPED)
    def drop(self, *, at: datetime, outcome: str) -> None:
        self.settled_at, self.outcome = at, outcome[:300]
