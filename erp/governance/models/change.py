"""A change of master data that somebody else must agree to.

PENDING --apply--> APPLIED, --reject--> REJECTED, --void--> VOID
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition


class ChangeRequestQuerySet(models.QuerySet["ChangeRequest"]):
    def lock(self, change_id: int) -> "ChangeRequest":
        """Return the change, locked until the transaction ends.

        Raises:
            ChangeRequest.DoesNotExist: there is no such change.
        """
        return self.select_for_update(of=["self"]).get(pk=change_id)


class ChangeRequest(FSMModelMixin, models.Model):
    """One field of one record, as it is and as it should be, until somebody else agrees.

    `document_kind` names who applies it ("orders.account"), `document_id` the record. `before` and
    `after` are plain values fit to show; `payload` is what the owner needs to apply it. When the
    value is no longer `before` the change is void.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waits"
        APPLIED = "applied", "Applied"
        REJECTED = "rejected", "Rejected"
        VOID = "void", "Void"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    document_kind = models.CharField(max_length=40)
    document_id = models.BigIntegerField()
    label = models.CharField(max_length=120)
    thread = models.CharField(max_length=80)
    field = models.CharField(max_length=60)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    role = models.CharField(max_length=30, blank=True)
    permission = models.CharField(max_length=100)
    state = FSMField(choices=State, default=State.PENDING, protected=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    objects = ChangeRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "applied", "rejected", "void"]),
                name="governance_change_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["document_kind", "document_id", "entity", "field"],
                condition=Q(state="pending"),
                name="governance_change_one_pending_per_field",
            ),
            models.CheckConstraint(
                condition=~Q(state="applied")
                | Q(settled_by__isnull=False)
                & (Q(requested_by=None) | ~Q(settled_by=F("requested_by"))),
                name="governance_change_agreed_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at=None)
                | Q(state__in=["applied", "rejected", "void"], settled_at__isnull=False),
                name="governance_change_settled_at_is_set_once_settled",
            ),
        ]
        indexes = [
            models.Index(fields=["thread"], name="governance_change_of_thread"),
        ]

    def __str__(self) -> str:
        return self.label

    @transition(field=state, source=State.PENDING, target=State.APPLIED)
    def apply(self, *, by_id: int, at: datetime) -> None:
        self.settled_by_id, self.settled_at = by_id, at

    @transition(field=state, source=State.PENDING, target=State.REJECTED)
    def reject(self, *, by_id: int, at: datetime, note: str) -> None:
        self.settled_by_id, self.settled_at, self.note = by_id, at, note

    @transition(field=state, source=State.PENDING, target=State.VOID)
    def void(self, *, at: datetime, note: str) -> None:
        self.settled_at, self.note = at, note
