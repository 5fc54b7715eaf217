"""What a version would have decided: a replay of recorded decisions, and its results.

Replay: WAITING --start--> RUNNING --finish--> DONE
        WAITING, RUNNING --fail--> FAILED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.governance.models.policy import PolicyVersion
from erp.kernel.fields import AmountField


class PolicyReplayQuerySet(models.QuerySet["PolicyReplay"]):
    def lock(self, replay_id: int) -> "PolicyReplay":
        """Return the replay, locked until the transaction ends.

        Raises:
            PolicyReplay.DoesNotExist: there is no such replay.
        """
        return self.select_for_update(of=["self"]).get(pk=replay_id)


class PolicyReplay(FSMModelMixin, models.Model):
    """One run of a version's table over the decisions recorded from `since` until `until`.

    `entities` are those whose decisions it may read: who sees the replay may see all of them.
    `table` is the table as it was when it was asked for. `position` says which decision was looked
    at last, so that another worker goes on from there; `done` counts those looked at, `skipped`
    those that another version would still decide, `unable` those that could not be replayed, for
    the `reasons`. `totals` maps each outcome's values to how often they were said before and after.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="replays")
    entities = models.JSONField()
    days = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    table = models.JSONField()
    state = FSMField(choices=State, default=State.WAITING, protected=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    unable = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict)
    totals = models.JSONField(default=dict)
    position = models.JSONField(default=list)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)

    objects = PolicyReplayQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policy replays"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed"]),
                name="governance_replay_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], finished_at=None)
                | Q(state__in=["done", "failed"], finished_at__isnull=False),
                name="governance_replay_finished_at_is_set_once_over",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=["waiting", "running"]),
                name="governance_replay_open",
            ),
        ]

    def __str__(self) -> str:
        return f"replay {self.pk} of version {self.version_id}"

    @transition(field=state, source=State.WAITING, target=State.RUNNING)
    def start(self, *, at: datetime, total: int) -> None:
        self.started_at, self.total = at, total

    @transition(field=state, source=State.RUNNING, target=State.DONE)
    def finish(self, *, at: datetime) -> None:
        self.finished_at = at

    @transition(field=state, source=[State.WAITING, State.RUNNING], target=State.FAILED)
    def fail(self, *, at: datetime, message: str) -> None:
        self.finished_at, self.message = at, message[:300]


class PolicyReplayChange(models.Model):
    """One subject about which a replayed version would have decided otherwise, the last time.

    `amount` is what is at stake, in `currency`; no currency: the policy names no money. Rows count
    from zero.
    """

    class Effect(models.TextChoices):
        GAINS = "gains", "Gains"
        LOSES = "loses", "Loses"
        DIFFERS = "differs", "Differs"

    replay = models.ForeignKey(PolicyReplay, on_delete=models.CASCADE, related_name="changes")
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    before = models.JSONField()
    after = models.JSONField()
    before_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    before_row = models.SmallIntegerField(null=True)
    after_row = models.SmallIntegerField(null=True)
    effect = models.CharField(max_length=10, choices=Effect)
    customer = models.CharField(max_length=200, blank=True)
    amount = AmountField(default=0)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["replay", "subject_kind", "subject_id"],
                name="governance_replay_change_once_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(amount=0) | ~Q(currency=""),
                name="governance_replay_change_money_has_its_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind}:{self.subject_id} {self.effect}"
