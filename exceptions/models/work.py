"""What hangs on a case: its timers, what people wrote, and the plays they ran."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

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
    """Something that must happen to a case at `due_at` unless it is over by then. Fires once."""

    class Kind(models.TextChoices):
        ACKNOWLEDGE = "acknowledge"
        RESOLVE = "resolve"

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="timers")
    kind = models.CharField(max_length=20, choices=Kind)
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


class CaseComment(models.Model):
    """What a person wrote on a case."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:50]


class PlayRun(models.Model):
    """A play that somebody chose on a case, beside the others that were offered. Kept for ever."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="play_runs")
    key = models.CharField(max_length=40)
    chosen = models.JSONField()
    alternatives = models.JSONField(default=list)
    run_at = models.DateTimeField()
    run_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.key} on {self.case_id}"
