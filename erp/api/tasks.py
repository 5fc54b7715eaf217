"""The API's housekeeping."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from erp.api.idempotency import KEPT_FOR, forget_keys


@shared_task
def forget_old_keys(**_later: Any) -> None:
    """Forget answers that nobody asks for any more."""
    forget_keys(before=timezone.now() - KEPT_FOR)
