"""Duties kept apart: exceptions that were agreed to, and actions a second person lets through."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class SecondPerson(models.Model):
    """One action that one person may do only if somebody else agrees, and does at most once.

    `because` are the ids of the audit entries that stand in the way. `approval` is the request;
    `used_at` says when the action was let through by it.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    duty = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    because = models.JSONField(default=list)
    asked_at = models.DateTimeField()
    approval = models.ForeignKey(
        "governance.Approval", null=True, on_delete=models.PROTECT, related_name="+"
    )
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "second persons"
        permissions = [("be_second_person", "Can let through what needs a second person")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id", "subject_kind", "duty", "actor"],
                condition=Q(used_at=None),
                name="governance_second_person_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.duty} of {self.subject_kind}:{self.subject_id}"


class DutyMitigation(models.Model):
    """Why one person may hold two conflicting duties in one entity, until `until`.

    `one` and `other` are permissions in alphabetical order. It ends early by `revoked_at`.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    one = models.CharField(max_length=100)
    other = models.CharField(max_length=100)
    reason = models.CharField(max_length=300)
    until = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [
            ("view_duties", "Can view who holds conflicting duties"),
            ("mitigate_duties", "Can record why a conflict of duties is borne"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "entity", "one", "other"],
                condition=Q(revoked_at=None),
                name="governance_mitigation_one_open",
            ),
            models.CheckConstraint(
                condition=~Q(recorded_by=F("person")),
                name="governance_mitigation_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(one__lt=F("other")), name="governance_mitigation_in_order"
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("recorded_at")), name="governance_mitigation_ends_later"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="governance_mitigation_revoked_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.one} with {self.other}"
