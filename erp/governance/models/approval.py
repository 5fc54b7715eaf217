"""A request for a second pair of eyes.

PENDING --approve--> APPROVED, --reject--> REJECTED, --withdraw--> VOID
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
    asked may not. `consequence` says what will happen once it is approved. `threads` are the
    stories of the document and of what is behind it: who did something there may not decide.
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
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("requested_by")),
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
        ]

    def __str__(self) -> str:
        return f"approval of {self.document_label}"

    @transition(field=state, source=State.PENDING, target=State.APPROVED)
    def approve(self, *, by_id: int, at: datetime) -> None:
        self.decided_by_id, self.decided_at = by_id, at

    @transition(field=state, source=State.PENDING, target=State.REJECTED)
    def reject(self, *, by_id: int, at: datetime, reason: str) -> None:
        self.decided_by_id, self.decided_at, self.decision_reason = by_id, at, reason

    @transition(field=state, source=State.PENDING, target=State.VOID)
    def withdraw(self, *, at: datetime, reason: str) -> None:
        self.decided_at, self.decision_reason = at, reason
