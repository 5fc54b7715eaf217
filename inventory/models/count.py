"""A cycle count and its life.

OPEN --ask_again--> RECOUNT;  OPEN, RECOUNT --review--> REVIEW --reject--> RECOUNT
OPEN, RECOUNT, REVIEW --approve--> APPROVED --post--> POSTED;  before POSTED --cancel--> CANCELLED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField


def length_of(name: str) -> models.Func:
    """Return how many numbers a column names."""
    return models.Func(
        models.F(name),
        function="jsonb_array_length",
        output_field=models.DecimalField(max_digits=15, decimal_places=3),
    )


class CountQuerySet(models.QuerySet["Count"]):
    def lock(self, count_id: int) -> "Count":
        """Return the count, locked until the transaction ends.

        Raises:
            Count.DoesNotExist: there is no such count.
        """
        return self.select_related("entity", "node").select_for_update(of=["self"]).get(pk=count_id)


class Count(FSMModelMixin, models.Model):
    """One sheet: balances of one company at one node that somebody counts without being told.

    `variance` is what the found differences are worth in all, each without its sign, at average
    cost in the company's currency on the day they were found.
    """

    class State(models.TextChoices):
        OPEN = "open", "To count"
        RECOUNT = "recount", "To recount"
        REVIEW = "review", "In review"
        APPROVED = "approved", "Approved"
        POSTED = "posted", "Posted"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("CC-", "inventory_count_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    cause = models.CharField(max_length=200, blank=True)
    variance = AmountField(default=0)
    planned_at = models.DateTimeField()
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    posted_at = models.DateTimeField(null=True, blank=True)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cancel_reason = models.CharField(max_length=300, blank=True)

    objects = CountQuerySet.as_manager()

    class Meta:
        permissions = [
            ("plan_count", "Can plan and call off counts"),
            ("count_stock", "Can count stock"),
            ("review_count", "Can see what counts found"),
            ("approve_count", "Can agree to what a count found"),
            ("post_count", "Can post what a count found"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["open", "recount", "review", "approved", "posted", "cancelled"]
                ),
                name="inventory_count_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "recount", "review", "cancelled"], approved_at=None)
                | Q(state__in=["approved", "posted"], approved_at__isnull=False),
                name="inventory_count_approved_at_is_set_once_approved",
            ),
            models.CheckConstraint(
                condition=Q(state="posted", posted_at__isnull=False)
                | ~Q(state="posted") & Q(posted_at=None),
                name="inventory_count_posted_at_is_set_once_posted",
            ),
            models.CheckConstraint(
                condition=Q(variance__gte=0), name="inventory_count_variance_not_negative"
            ),
        ]
        indexes = [
            models.Index(
                fields=["entity", "-id"],
                name="inventory_count_open",
                condition=~Q(state__in=["posted", "cancelled"]),
            ),
            models.Index(fields=["entity", "-id"], name="inventory_count_newest"),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.OPEN, target=State.RECOUNT)
    def ask_again(self, *, at: datetime) -> None:
        self.submitted_at = at

    @transition(field=state, source=[State.OPEN, State.RECOUNT], target=State.REVIEW)
    def review(self, *, at: datetime) -> None:
        self.submitted_at = at

    @transition(field=state, source=State.REVIEW, target=State.RECOUNT)
    def reject(self) -> None:
        pass

    @transition(
        field=state, source=[State.OPEN, State.RECOUNT, State.REVIEW], target=State.APPROVED
    )
    def approve(self, *, by_id: int | None, at: datetime) -> None:
        self.approved_by_id, self.approved_at = by_id, at
        self.submitted_at = self.submitted_at or at

    @transition(field=state, source=State.APPROVED, target=State.POSTED)
    def post(self, *, by_id: int | None, at: datetime) -> None:
        self.posted_by_id, self.posted_at = by_id, at

    @transition(
        field=state,
        source=[State.OPEN, State.RECOUNT, State.REVIEW, State.APPROVED],
        target=State.CANCELLED,
    )
    def cancel(self, *, reason: str) -> None:
        self.cancel_reason = reason
        self.approved_by_id = self.approved_at = None


class CountLine(models.Model):
    """One balance to count. What the books expect is frozen with each answer, never shown before.

    `snapshot` is what lay there when the sheet was made, after the move `snapshot_move`: so what is
    expected at any later moment is that and the moves since. `expected` is that at `counted_at`,
    without what stood picked and not yet gone. `earlier` is what the first of two counts said.
    Where the balance is kept by serial number, `serials` were scanned, and `missing` and `found`
    are the numbers by which that differs from the books.
    """

    count = models.ForeignKey(Count, on_delete=models.PROTECT, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    stock = models.ForeignKey("inventory.Stock", on_delete=models.PROTECT, related_name="+")
    snapshot = QuantityField()
    snapshot_move = models.BigIntegerField(default=0)
    class_code = models.CharField(max_length=1, blank=True)
    is_again = models.BooleanField(default=False)
    earlier = QuantityField(null=True, blank=True)  # type: ignore[misc]
    counted = QuantityField(null=True, blank=True)  # type: ignore[misc]
    expected = QuantityField(null=True, blank=True)  # type: ignore[misc]
    serials = models.JSONField(default=list, db_default=[])
    missing = models.JSONField(default=list, db_default=[])
    found = models.JSONField(default=list, db_default=[])
    counted_at = models.DateTimeField(null=True, blank=True)
    counted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["count", "position"], name="inventory_countline_once_per_position"
            ),
            models.UniqueConstraint(
                fields=["count", "stock"], name="inventory_countline_once_per_stock"
            ),
            models.CheckConstraint(
                condition=Q(counted=None, expected=None, counted_at=None)
                | Q(counted__gte=0, expected__isnull=False, counted_at__isnull=False),
                name="inventory_countline_expected_with_its_count",
            ),
            models.CheckConstraint(
                condition=Q(serials=[]) | Q(counted__isnull=False, counted=length_of("serials")),
                name="inventory_countline_counts_its_serials",
            ),
            models.CheckConstraint(
                condition=Q(missing=[], found=[])
                | Q(
                    counted__isnull=False,
                    counted=models.F("expected") + length_of("found") - length_of("missing"),
                ),
                name="inventory_countline_differs_by_its_serials",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stock_id} of {self.count_id}"


class CountBin(models.Model):
    """What of a counted line lay in one bin, or (without a bin) elsewhere at the node.

    The parts of a line sum to what was counted. `expected` is what the bin held at `counted_at`.
    """

    line = models.ForeignKey(
        CountLine, on_delete=models.CASCADE, related_name="bins", db_index=False
    )
    bin = models.ForeignKey(
        "inventory.Bin", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    counted = QuantityField()
    expected = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "bin"],
                nulls_distinct=False,
                name="inventory_countbin_once_per_bin",
            ),
            models.CheckConstraint(
                condition=Q(counted__gte=0), name="inventory_countbin_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.counted} in {self.bin_id}"
