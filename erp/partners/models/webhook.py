"""Systems that are told of facts, and what became of each telling.

```
pending ──take──▶ sent
   │ ▲
 give_up │ replay
   ▼ │
  dead
```
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition


class Webhook(models.Model):
    """One address of another system, and what of one entity it is told.

    `events` are names of facts. Every telling is signed with `secret`, and until `former_until`
    with `former_secret` as well, so that the other side can change over. `paused_at`: nothing goes
    there now; what comes up meanwhile waits.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=80)
    former_secret = models.CharField(max_length=80, blank=True)
    former_until = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        permissions = [("tell_outside", "Can say which systems are told of facts")]
        constraints = [
            models.UniqueConstraint(fields=["entity", "name"], name="partners_webhook_once"),
            models.CheckConstraint(
                condition=Q(former_until=None, former_secret="")
                | Q(former_until__isnull=False) & ~Q(former_secret=""),
                name="partners_webhook_former_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def lock(self, delivery_id: int) -> "WebhookDelivery":
        """Return one telling, locked, with its webhook.

        Raises:
            WebhookDelivery.DoesNotExist: there is none such.
        """
        return self.select_for_update(of=("self",)).select_related("webhook").get(pk=delivery_id)


class WebhookDelivery(FSMModelMixin, models.Model):
    """One fact on its way to one webhook; `event_id` is told there once.

    `key` is the aggregate: of one, a later fact waits for the earlier. `claimed_until` is how long
    whoever sends it now may take. `last_status` is HTTP's, 0 where nothing came back.
    """

    class State(models.TextChoices):
        PENDING = "pending", "On its way"
        SENT = "sent", "Taken"
        DEAD = "dead", "Given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.CharField(max_length=80)
    event = models.CharField(max_length=100)
    key = models.CharField(max_length=100, blank=True)
    body = models.JSONField()
    state = FSMField(choices=State, default=State.PENDING, protected=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_said = models.CharField(max_length=500, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "event_id"], name="partners_telling_once_per_fact"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sent", "dead"]),
                name="partners_telling_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at=None)
                | Q(state__in=["sent", "dead"], settled_at__isnull=False),
                name="partners_telling_settled_at_is_set_once_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="partners_telling_due", condition=Q(state="pending")
            ),
            models.Index(
                fields=["webhook", "key", "id"],
                name="partners_telling_in_order",
                condition=Q(state="pending"),
            ),
            models.Index(fields=["webhook", "-id"], name="partners_telling_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}"

    @transition(field=state, source=State.PENDING, target=State.SENT)
    def take(self, *, at: datetime) -> None:
        self.settled_at, self.claimed_until = at, None

    @transition(field=state, source=State.PENDING, target=State.DEAD)
    def give_up(self, *, at: datetime) -> None:
        self.settled_at, self.claimed_until = at, None

    @transition(field=state, source=[State.SENT, State.DEAD], target=State.PENDING)
    def replay(self, *, at: datetime) -> None:
        self.settled_at, self.attempts, self.due_at = None, 0, at
