"""Whom we must not serve, who resembles them, and what reviewers said.

A match: OPEN --confirm--> CONFIRMED, --reject--> REJECTED; any --lapse--> LAPSED
"""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition


class PartyList(models.Model):
    """One list of parties whom we must not serve. `version` counts its imports that changed it."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=0)
    entries = models.PositiveIntegerField(default=0)
    imported_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.code


class DeniedParty(models.Model):
    """One entry of a list, known there by `reference`; `version` counts its changes.

    `names` are the name and all aliases, as written. `changed_stamp` is the state of all lists
    that brought it as it is; an entry that left its list is removed, not deleted.
    """

    party_list = models.ForeignKey(PartyList, on_delete=models.PROTECT, related_name="parties")
    reference = models.CharField(max_length=60)
    name = models.CharField(max_length=300)
    aliases = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=60, blank=True)
    programme = models.CharField(max_length=100, blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_stamp = models.BigIntegerField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "denied parties"
        constraints = [
            models.UniqueConstraint(
                fields=["party_list", "reference"], name="orders_deniedparty_once_per_list"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="orders_deniedparty_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Party(models.Model):
    """One name at one address, whoever on our side bears it: what screening looks at.

    `digest` is of the normalised words, so that what reads the same is asked once. `stamp` is the
    state of the lists against which it was last compared.
    """

    digest = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=300)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=60, blank=True)
    stamp = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return self.name


class PartyRole(models.Model):
    """That a customer, or an order as its consignee, bears a party's name and address now."""

    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="roles")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"], name="orders_partyrole_one_per_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind}:{self.subject_id}"


class PartyMatch(FSMModelMixin, models.Model):
    """That one party resembles one entry as it stood in `entry_version`. Scores are 0 to 100.

    OPEN --confirm--> CONFIRMED, --reject--> REJECTED; any --lapse--> LAPSED. A rejected pair is not
    asked about again: a changed party is another party, a changed entry has another version.
    """

    class State(models.TextChoices):
        OPEN = "open", "To review"
        CONFIRMED = "confirmed", "Confirmed"
        REJECTED = "rejected", "Rejected"
        LAPSED = "lapsed", "Lapsed"

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="matches")
    entry = models.ForeignKey(DeniedParty, on_delete=models.PROTECT, related_name="matches")
    entry_version = models.PositiveIntegerField()
    score = models.PositiveSmallIntegerField()
    name_score = models.PositiveSmallIntegerField()
    address_score = models.PositiveSmallIntegerField(null=True)
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    found_at = models.DateTimeField()
    policy_version = models.CharField(max_length=60, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "party matches"
        permissions = [("review_match", "Can confirm or reject a party match")]
        constraints = [
            models.UniqueConstraint(
                fields=["party", "entry", "entry_version"], name="orders_partymatch_once_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "confirmed", "rejected", "lapsed"]),
                name="orders_partymatch_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "lapsed"])
                | (Q(reviewed_at__isnull=False) & ~Q(review_reason="")),
                name="orders_partymatch_reviewed_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-score", "id"],
                name="orders_partymatch_to_review",
                condition=Q(state="open"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} ~ {self.entry_id}"

    @transition(field=state, source=State.OPEN, target=State.CONFIRMED)
    def confirm(self, *, by_id: int, at: datetime, reason: str) -> None:
        self.reviewed_by_id, self.reviewed_at, self.review_reason = by_id, at, reason

    @transition(field=state, source=State.OPEN, target=State.REJECTED)
    def reject(self, *, by_id: int, at: datetime, reason: str) -> None:
        self.reviewed_by_id, self.reviewed_at, self.review_reason = by_id, at, reason

    @transition(
        field=state, source=[State.OPEN, State.CONFIRMED, State.REJECTED], target=State.LAPSED
    )
    def lapse(self) -> None:
        pass


class Screening(models.Model):
    """One walk over all customers and open orders, in batches, after the lists changed.

    `step` is customers, orders or done, `after_id` how far it has come in it: a walk that was cut
    off goes on there. `stamp` is the state of all lists, one number a change.
    """

    class Step(models.TextChoices):
        CUSTOMERS = "customers", "Customers"
        ORDERS = "orders", "Open orders"
        DONE = "done", "Done"

    stamp = models.BigIntegerField(unique=True)
    cause = models.CharField(max_length=200)
    step = models.CharField(max_length=10, choices=Step, default=Step.CUSTOMERS)
    after_id = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    matches = models.PositiveIntegerField(default=0)
    holds = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(step="done", finished_at__isnull=False)
                | (~Q(step="done") & Q(finished_at=None)),
                name="orders_screening_finished_once_done",
            ),
        ]
        indexes = [
            models.Index(
                fields=["stamp"], name="orders_screening_unfinished", condition=~Q(step="done")
            ),
        ]

    def __str__(self) -> str:
        return self.cause
