"""Who decides for whom, from when until when, and who is away."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def lock(self, delegation_id: int) -> "Delegation":
        """Return the delegation, locked until the transaction ends.

        Raises:
            Delegation.DoesNotExist: there is no such delegation.
        """
        return self.select_for_update(of=["self"]).get(pk=delegation_id)

    def active(self, now: datetime) -> "DelegationQuerySet":
        """Keep those in force at `now`: from `starts_at` on, and until just before `ends_at`."""
        return self.filter(revoked_at=None, starts_at__lte=now, ends_at__gt=now)


class Delegation(models.Model):
    """`delegate` decides on behalf of `delegator` in one entity, from `starts_at` until `ends_at`.

    For what `role` lets the delegator decide, or (blank) for all of it; with `approval`, for that
    one request. Only powers of the delegator's own are passed on: a delegate delegates nothing that
    was delegated. `ends_at` itself is outside.
    """

    delegator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    delegate = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    role = models.CharField(max_length=30, blank=True)
    approval = models.ForeignKey(
        "governance.Approval", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = DelegationQuerySet.as_manager()

    class Meta:
        permissions = [("delegate_for_others", "Can pass on the approvals of somebody else")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="governance_delegation_has_a_length"
            ),
            models.CheckConstraint(
                condition=~Q(delegate=F("delegator")), name="governance_delegation_to_another"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="governance_delegation_revoked_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["delegate", "entity"],
                name="governance_delegation_to",
                condition=Q(revoked_at=None),
            ),
            models.Index(
                fields=["delegator", "entity"],
                name="governance_delegation_from",
                condition=Q(revoked_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delegator_id} → {self.delegate_id} until {self.ends_at}"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def lock(self, absence_id: int) -> "Absence":
        """Return the absence, locked until the transaction ends.

        Raises:
            Absence.DoesNotExist: there is no such absence.
        """
        return self.select_for_update(of=["self"]).get(pk=absence_id)


class Absence(models.Model):
    """`user` is away from `starts_at` until just before `ends_at`: nobody waits for them."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="governance_absence_has_a_length"
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "ends_at"],
                name="governance_absence_of",
                condition=Q(cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} away until {self.ends_at}"
