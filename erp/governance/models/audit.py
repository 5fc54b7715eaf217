"""Who did what, when, and why: append-only, sealed in chains, personal data kept beside it."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class AuditEntry(models.Model):
    """One change or decision. `thread` ("orders.order:12") gathers a document's whole story.

    `actor` is null when the house itself acted (a timer, a handler); `entity` is null when the
    change concerns all entities, as that of a product does; `on_behalf_of` is for whom the actor
    acted. A personal value stands in `before` and `after` as `{"personal": commitment}`, and in
    `PersonalDatum` in the clear until it is erased. Never changed.
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
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
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


class PersonalDatum(models.Model):
    """One personal value of the audit trail in the clear, so that it can be erased.

    `commitment` is the SHA-256 of `salt` and `value`: the trail holds and seals only that.
    `subject` ("orders.customer:12") says whose it is. Erased, salt and value are empty.
    """

    commitment = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=60)
    salt = models.CharField(max_length=32, blank=True)
    value = models.TextField(blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "personal data"
        permissions = [("erase_personal", "Can have personal data erased")]
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(salt="", value=""),
                name="governance_personal_erased_is_empty",
            ),
        ]
        indexes = [models.Index(fields=["subject"], name="governance_personal_subject")]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="only_erased",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__erased_at__isnull=True)
                | pgtrigger.Q(new__commitment__df=pgtrigger.F("old__commitment"))
                | pgtrigger.Q(new__subject__df=pgtrigger.F("old__subject")),
            ),
        ]

    def __str__(self) -> str:
        return self.commitment


class AuditSeal(models.Model):
    """A batch of one chain's entries, bound to all before it. Append-only.

    Chain: the entries of one entity, or of none. `after` and `upto` are the ids between which the
    round of sealing looked (the first left out); `leaves` the SHA-256 of each entry, in the order
    of `entry_ids`; `head` = SHA-256(previous head, what the batch is, SHA-256(leaves)).
    """

    entity = models.ForeignKey(
        "accounts.Entity", null=True, on_delete=models.PROTECT, related_name="+"
    )
    number = models.PositiveIntegerField()
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    count = models.PositiveIntegerField()
    entry_ids = ArrayField(models.BigIntegerField())
    leaves = ArrayField(models.BinaryField())
    previous = models.BinaryField()
    head = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "number"], name="governance_seal_number", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(upto__gt=F("after"), count__gt=0), name="governance_seal_holds_entries"
            ),
        ]
        indexes = [models.Index(fields=["upto"], name="governance_seal_upto")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"seal {self.number} of chain {self.entity_id or 'house'}"


class AuditSealing(models.Model):
    """How far the trail is sealed: one row. `heads` are the chains' last seals, by entity.

    `pending_upto` is sealed as soon as the transactions `pending_writers` have ended: until then
    one of them may still bring an entry with a smaller id.
    """

    upto = models.BigIntegerField(default=0)
    pending_upto = models.BigIntegerField(null=True)
    pending_writers = models.JSONField(default=list)
    heads = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="governance_sealing_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"sealed up to {self.upto}"
