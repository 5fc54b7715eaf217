"""Every decision taken by policy."""

import pgtrigger
from django.db import models

from erp.governance.models.policy import PolicyVersion


class DecisionRecord(models.Model):
    """One decision: the version that took it, on what inputs, with what outcome. Append-only.

    In the database the primary key is (id, at), so that the table can be cut into months without a
    new key (ADR 0018); `id` comes from one sequence and names a row by itself.
    """

    at = models.DateTimeField()
    version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="decisions", db_index=False
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    node = models.CharField(max_length=20, blank=True, default="")
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    inputs = models.JSONField()
    outcome = models.JSONField()
    row = models.SmallIntegerField(null=True)  # which row of the table decided; null: none did

    class Meta:
        indexes = [
            models.Index(
                fields=["subject_id", "subject_kind"], name="governance_decision_of_subject"
            ),
            models.Index(fields=["version", "at", "id"], name="governance_decision_by_version"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}"
