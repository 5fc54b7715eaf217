"""Who did what, when, and why. Append-only."""

import pgtrigger
from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One change or decision. `thread` ("orders.order:12") gathers a document's whole story.

    `actor` is null when a timer or a handler acted; `actor_kind` says which. Never changed.
    """

    at = models.DateTimeField()
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_kind = models.CharField(max_length=10)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    thread = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    policy_version = models.CharField(max_length=60, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["thread", "id"], name="governance_audit_thread"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind}:{self.subject_id}"
