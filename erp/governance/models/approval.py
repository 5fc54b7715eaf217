"""A request for a second pair of eyes.

Request: PENDING --approve--> APPROVED, --reject--> REJECTED, --withdraw--> VOID
Nobody need agree: PENDING --approve_by_policy--> APPROVED
Step: WAITING --open--> OPEN --agree--> APPROVED, --refuse--> REJECTED
Step that is not needed any more: WAITING, OPEN --skip--> SKIPPED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def lock(self, approval_id: int) -> "Approval":
        """Return the approval, locked until the transaction ends.

        Raises:
            Approval.DoesNotExist: there is no such approval.
        """
        return self.select_for_update(of=["self"]).get(pk=approval_id)


class Approval(FSMModelMixin, models.Model):
    """Somebody with `role` must agree to one document before it goes on. `amount` is in `currency`.

    `fingerprint` is the document as it was asked about; if it has changed, the approval is void.
    `barred` are the ids of users who took part in the document and may not decide, as the one who
    asked may not. `consequence` says what will happen once it is approved, `effects` line by line:
    `{"kind": "change"|"loser"|"money", "text", "amount", "currency"}`. `facts` are what the matrix
    was asked (`amount` there is in the entity's currency). `permission` is what the caller asked
    for; who must agree in fact stands in the steps. `is_automatic`: nobody had to. `threads` are
    the stories of the document and of what is behind it: who did something there may not decide.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waits"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        VOID = "void", "Void"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    document_kind = models.CharField(max_length=40)
    document_id = models.BigIntegerField()
    document_label = models.CharField(max_length=120)
    permission = models.CharField(max_length=100)
    role = models.CharField(max_length=30, blank=True)
    amount = AmountField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    consequence = models.CharField(max_length=300, blank=True)
    fingerprint = models.CharField(max_length=64)
    state = FSMField(choices=State, default=State.PENDING, protected=True)
    barred = models.JSONField(default=list, blank=True)
    threads = models.JSONField(default=list, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=300, blank=True)
    policy_version = models.CharField(max_length=60, blank=True)
    matrix_version = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    effects = models.JSONField(default=list, blank=True)
    weight = AmountField(default=0)  # the money it ranks by, in the entity's currency
    is_automatic = models.BooleanField(default=False)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document_kind", "document_id", "permission"],
                condition=Q(state="pending"),
                name="governance_approval_one_pending_per_document",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved")
                | Q(is_automatic=True, decided_by=None)
                | Q(is_automatic=False, decided_by__isnull=False)
                & ~Q(decided_by=F("requested_by")),
                name="governance_approval_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at=None)
                | Q(state__in=["approved", "rejected", "void"], decided_at__isnull=False),
                name="governance_approval_decided_at_is_set_once_decided",
            ),
        ]
        indexes = [
            models.Index(
                fields=["document_id", "document_kind"], name="governance_approval_document"
            ),
            models.Index(
                fields=["entity", "id"],
                name="governance_approval_pending",
                condition=Q(state="pending"),
            ),
            models.Index(
                fields=["entity", "decided_at"],
                name="governance_approval_decided",
                condition=~Q(state="pending"),
            ),
        ]

    def __str__(self) -> str:
        return f"approval of {self.document_label}"

    @transition(field=state, source=State.PENDING, target=State.APPROVED)
    def approve(self, *, by_id: int, at: datetime) -> None:
        self.decided_by_id, self.decided_at = by_id, at

    @transition(field=state, source=State.PENDING, target=State.APPROVED)
    def approve_by_policy(self, *, at: datetime) -> None:
        self.is_automatic, self.decided_at = True, at

    @transition(field=state, source=State.PENDING, target=State.REJECTED)
    def reject(self, *, by_id: int, at: datetime, reason: str) -> None:
        self.decided_by_id, self.decided_at, self.decision_reason = by_id, at, reason

    @transition(field=state, source=State.PENDING, target=State.VOID)
    def withdraw(self, *, at: datetime, reason: str) -> None:
        self.decided_at, self.decision_reason = at, reason


class ApprovalStep(FSMModelMixin, models.Model):
    """One agreement a request needs. Steps open by number; those of one number stand side by side.

    Whoever holds `permission` in the entity may decide; where it names none, whoever has `role`;
    once escalated, whoever has the role `escalated_to` as well. `rule` says whether all steps of
    that number must agree or one is enough. `hours` of the entity's working time after it opened
    (0: never) it goes to `escalate_to`, or the whole request becomes void (`on_expiry`). A delegate
    decides `on_behalf_of` somebody. `stranded_at` is set while nobody at all could decide.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Later"
        OPEN = "open", "Open"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        SKIPPED = "skipped", "Not needed"

    class Rule(models.TextChoices):
        ALL = "all", "All must agree"
        ANY = "any", "One is enough"

    class Expiry(models.TextChoices):
        ESCALATE = "escalate", "Goes to somebody else"
        VOID = "void", "Ends the request"

    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    permission = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=30, blank=True)
    rule = models.CharField(max_length=3, choices=Rule, default=Rule.ALL)
    hours = models.PositiveSmallIntegerField(default=0)
    on_expiry = models.CharField(max_length=10, choices=Expiry, default=Expiry.VOID)
    escalate_to = models.CharField(max_length=30, blank=True)
    state = FSMField(choices=State, default=State.WAITING, protected=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    escalated_to = models.CharField(max_length=30, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    stranded_at = models.DateTimeField(null=True, blank=True)
    stranded_why = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["approval", "number", "permission", "role"],
                name="governance_step_once_per_request",
            ),
            models.UniqueConstraint(
                fields=["approval", "decided_by"],
                condition=Q(decided_by__isnull=False),
                name="governance_step_one_decision_a_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "open", "approved", "rejected", "skipped"]),
                name="governance_step_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["approved", "rejected"], decided_by__isnull=False)
                & Q(decided_at__isnull=False)
                | Q(state__in=["waiting", "open", "skipped"], decided_by=None, decided_at=None),
                name="governance_step_decided_by_is_set_once_decided",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", opened_at=None)
                | Q(state="skipped")
                | Q(state__in=["open", "approved", "rejected"], opened_at__isnull=False),
                name="governance_step_opened_at_is_set_once_open",
            ),
            models.CheckConstraint(
                condition=Q(on_behalf_of=None) | ~Q(on_behalf_of=F("decided_by")),
                name="governance_step_on_behalf_of_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(permission="", role=""), name="governance_step_names_somebody"
            ),
        ]
        indexes = [
            models.Index(
                fields=["approval"], name="governance_step_open", condition=Q(state="open")
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.number} of approval {self.approval_id}"

    @transition(field=state, source=State.WAITING, target=State.OPEN)
    def open(self, *, at: datetime) -> None:
        self.opened_at = at

    @transition(field=state, source=State.OPEN, target=State.APPROVED)
    def agree(self, *, by_id: int, on_behalf_of_id: int | None, at: datetime) -> None:
        self.decided_by_id, self.on_behalf_of_id, self.decided_at = by_id, on_behalf_of_id, at

    @transition(field=state, source=State.OPEN, target=State.REJECTED)
    def refuse(self, *, by_id: int, on_behalf_of_id: int | None, at: datetime, reason: str) -> None:
        self.decided_by_id, self.on_behalf_of_id, self.decided_at = by_id, on_behalf_of_id, at
        self.reason = reason

    @transition(field=state, source=[State.WAITING, State.OPEN], target=State.SKIPPED)
    def skip(self) -> None:
        pass


class ApprovalTimerQuerySet(models.QuerySet["ApprovalTimer"]):
    def claim_due(self, now: datetime, limit: int) -> "list[ApprovalTimer]":
        """Return up to `limit` timers that are due, earliest first, locked with their requests.

        A timer whose request somebody is deciding right now is left for the next time.
        """
        due = self.filter(due_at__lte=now, fired_at=None, cancelled_at=None)
        return list(
            due.select_related("step__approval")
            .select_for_update(skip_locked=True, of=["self", "step", "step__approval"])
            .order_by("due_at", "id")[:limit]
        )


class ApprovalTimer(models.Model):
    """The clock of one open step: at `due_at` it expires or is escalated. Fires at most once."""

    step = models.ForeignKey(ApprovalStep, on_delete=models.CASCADE, related_name="timers")
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = ApprovalTimerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["step"],
                condition=Q(fired_at=None, cancelled_at=None),
                name="governance_approval_timer_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(fired_at=None) | Q(cancelled_at=None),
                name="governance_approval_timer_fires_or_not",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="governance_approval_timer_due",
                condition=Q(fired_at=None, cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"clock of step {self.step_id} at {self.due_at}"
