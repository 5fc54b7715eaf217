"""A correction of stock and its life: an adjustment, or a change of status.

REVIEW --approve--> APPROVED --post--> POSTED;  REVIEW, APPROVED --cancel--> CANCELLED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def lock(self, correction_id: int) -> "Correction":
        """Return the correction, locked until the transaction ends.

        Raises:
            Correction.DoesNotExist: there is no such correction.
        """
        found = self.select_related("entity", "node").select_for_update(of=["self"])
        return found.get(pk=correction_id)


class Correction(FSMModelMixin, models.Model):
    """A request to change balances of one company at one node, with its reason.

    An `adjustment` finds or writes off; a `status` change moves goods aside, or lets them go again
    (`is_release`: some become available). `value` is what its lines are worth in all, each without
    its sign, in the company's currency on the day it was asked for.
    """

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", "Adjustment"
        STATUS = "status", "Change of status"

    class State(models.TextChoices):
        REVIEW = "review", "In review"
        APPROVED = "approved", "Approved"
        POSTED = "posted", "Posted"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("AD-", "inventory_correction_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    is_release = models.BooleanField(default=False)
    state = FSMField(choices=State, default=State.REVIEW, protected=True)
    reason = models.CharField(max_length=200)
    value = AmountField(default=0)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    posted_at = models.DateTimeField(null=True, blank=True)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cancel_reason = models.CharField(max_length=300, blank=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        permissions = [
            ("request_correction", "Can ask for corrections of stock"),
            ("approve_correction", "Can agree to corrections of stock"),
            ("post_correction", "Can post corrections of stock"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["review", "approved", "posted", "cancelled"]),
                name="inventory_correction_state_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="status") | Q(kind="adjustment", is_release=False),
                name="inventory_correction_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(state="review", approved_at=None)
                | Q(state__in=["approved", "posted"], approved_at__isnull=False)
                | Q(state="cancelled"),
                name="inventory_correction_approved_at_is_set_once_approved",
            ),
            models.CheckConstraint(
                condition=Q(state="posted", posted_at__isnull=False)
                | ~Q(state="posted") & Q(posted_at=None),
                name="inventory_correction_posted_at_is_set_once_posted",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0) & ~Q(reason=""),
                name="inventory_correction_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="inventory_correction_newest"),
            models.Index(
                fields=["entity", "-id"],
                name="inventory_correction_open",
                condition=Q(state__in=["review", "approved"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.REVIEW, target=State.APPROVED)
    def approve(self, *, by_id: int | None, at: datetime) -> None:
        self.approved_by_id, self.approved_at = by_id, at

    @transition(field=state, source=State.APPROVED, target=State.POSTED)
    def post(self, *, by_id: int | None, at: datetime) -> None:
        self.posted_by_id, self.posted_at = by_id, at

    @transition(field=state, source=[State.REVIEW, State.APPROVED], target=State.CANCELLED)
    def cancel(self, *, reason: str) -> None:
        self.cancel_reason = reason


class CorrectionLine(models.Model):
    """So many base units of one balance: signed for an adjustment, above zero for a status change.

    `unit_value` (company's currency) prices what is found; without it the average counts. `serials`
    are the numbers of the pieces, where the product is kept by them.
    """

    correction = models.ForeignKey(
        Correction, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "inventory.Lot", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(max_length=12)
    to_status = models.CharField(max_length=12, blank=True)
    quantity = QuantityField()
    unit_value = AmountField(null=True, blank=True)  # type: ignore[misc]
    serials = models.JSONField(default=list, db_default=[])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["correction", "position"], name="inventory_correctionline_once_per_position"
            ),
            models.CheckConstraint(
                condition=~Q(quantity=0) & (Q(to_status="") | Q(quantity__gt=0)),
                name="inventory_correctionline_changes_something",
            ),
            models.CheckConstraint(
                condition=~Q(status=F("to_status"))
                & Q(status__in=["available", "quarantine", "damaged", "inspection"])
                & Q(to_status__in=["", "available", "quarantine", "damaged", "inspection"]),
                name="inventory_correctionline_status_known",
            ),
            models.CheckConstraint(
                condition=Q(unit_value=None) | Q(unit_value__gte=0, to_status="", quantity__gt=0),
                name="inventory_correctionline_prices_what_is_found",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"
