"""Answers that were given, so that a repeated request gets the same one."""

from django.db import models


class IdempotencyKey(models.Model):
    """One key of one user, and the answer that its request got.

    Written in the transaction of the command itself: no answer without its effects, and none of
    them twice. `fingerprint` is a hash of method, path and body. `user_id` refers to accounts.User.
    """

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)  # 0 only while the first request runs
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_id", "key"], name="api_key_once_per_user"),
        ]
        indexes = [models.Index(fields=["created_at"], name="api_key_by_age")]

    def __str__(self) -> str:
        return self.key
