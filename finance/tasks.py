"""Celery's way into finance: the clocks."""

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from erp.accounts.models import Entity
from erp.kernel.errors import DomainError
from finance.services import invoice_shipments, note_overdue, open_all_books

BATCH = 500
logger = logging.getLogger(__name__)


@shared_task(expires=300)
def invoice(**_later: Any) -> None:
    """Invoice whatever left and was not invoiced by its event, entity by entity."""
    for entity_id in Entity.objects.order_by("pk").values_list("pk", flat=True):
        try:
            while invoice_shipments(
                shipment_ids=None, entity_id=entity_id, limit=BATCH, now=timezone.now()
            ):
                pass
        except DomainError as refusal:  # its books are closed today: the others' are not
            logger.warning("entity %s is not invoiced: %s", entity_id, refusal)


@shared_task(expires=3_600)
def open_months(**_later: Any) -> None:
    """Open the books of new entities, and the months to come."""
    open_all_books(now=timezone.now())


@shared_task(expires=3_600)
def age(**_later: Any) -> None:
    """Note what became overdue over night."""
    note_overdue(now=timezone.now())
