"""Who did what, when, and why. Append-only."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q


class AuditEntry(models.Model):
    """One change or decision. `thread` ("orders.order:12") gathers a document's whole story.

    `actor` is null when the house itself acted (a timer, a handler); `entity` is null when the
    change concerns all entities, as that of a product does. Never changed.
    """

    class ActorKind(models.TextChoices):
        PERSON = "person"
        PARTNER = "partner"
        SYSTEM = "system"

    at = models.DateTimeField()
    entity = models.ForeignKey(  # every business step writes here: no index it could do without
        "accounts.Entity", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    thread = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    policy_version = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(actor__isnull=False) | Q(actor_kind="system"),
                name="governance_audit_only_the_system_has_no_name",
            ),
        ]
        indexes = [
            models.Index(fields=["thread", "id"], name="governance_audit_thread"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind}:{self.subject_id}"
