"""What people are told about cases, and how they want to be told."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from exceptions.models.case import ExceptionCase


class NoticePreference(models.Model):
    """How one person is told by e-mail; in the application everybody is told at once.

    A digest comes `digest_minutes` after the first thing in it. No row is as the defaults say.
    """

    class Mail(models.TextChoices):
        NONE = "none", "Never"
        IMPORTANT = "important", "The worst at once, the rest together"
        TOGETHER = "together", "Everything together"
        AT_ONCE = "at_once", "Everything at once"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    mail = models.CharField(max_length=10, choices=Mail, default=Mail.IMPORTANT)
    digest_minutes = models.PositiveSmallIntegerField(default=240)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(digest_minutes__gte=5, digest_minutes__lte=1440),
                name="exceptions_preference_digest_within_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.mail}"


class Notice(models.Model):
    """One thing that one person is told about one case, once for each `key`.

    `mail_at` is when it goes by e-mail, if it does; what was read before does not.
    """

    class Kind(models.TextChoices):
        ASSIGNED = "assigned", "Yours now"
        ESCALATED = "escalated", "Escalated to you"
        PREDICTED = "predicted", "Likely to be late"
        FOLLOW_UP = "follow_up", "Ask again"
        MENTIONED = "mentioned", "You were mentioned"
        WATCHED = "watched", "Something happened"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=120)
    text = models.CharField(max_length=300)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    mail_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="exceptions_notice_once_per_key"),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="exceptions_notice_newest"),
            models.Index(
                fields=["mail_at"],
                name="exceptions_notice_to_mail",
                condition=Q(mail_at__isnull=False, mailed_at=None, read_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class CaseWatcher(models.Model):
    """Somebody who wants to know what happens to a case that is not theirs."""

    case = models.ForeignKey(
        ExceptionCase, on_delete=models.CASCADE, related_name="watchers", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "user"], name="exceptions_watcher_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.case_id}"


class CaseAttachment(models.Model):
    """A file that somebody put on a case, kept as it came: at most 5 MB."""

    case = models.ForeignKey(ExceptionCase, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=150)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)  # SHA-256, hexadecimal
    content = models.BinaryField()
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "digest"], name="exceptions_attachment_once"),
            models.CheckConstraint(
                condition=Q(size__gt=0, size__lte=5_242_880),
                name="exceptions_attachment_size_bounded",
            ),
        ]

    def __str__(self) -> str:
        return self.name
