"""Takes back what an import brought, as far as nothing stands on it yet."""

import json
from datetime import datetime
from typing import Any, ClassVar

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import REFUSALS, DomainError
from erp.kernel.sql import records, rows, run
from erp.outbox.publishing import publish
from erp.partners.events import ImportSettled
from erp.partners.models import ImportEffect, ImportJob
from finance.services import adjust_stock
from inventory.services import StockAdjustment
from orders.services import cancel_order

BATCH = 2_000
SHIPPED = """
    SELECT count(*) FROM partners_importeffect e JOIN orders_orderline l ON l.order_id = e.object_id
    WHERE e.job_id = %s AND e.model = 'orders.Order' AND l.shipped > 0
"""
ADJUSTED = """
    SELECT entity_id, node_id, product_id, status, -quantity AS quantity
    FROM inventory_adjustment WHERE id = %s
"""


class ImportShipped(DomainError):
    """Goods of the import have left: shipments, invoices and ledger entries stand."""

    code: ClassVar[str] = "import_shipped"


# A price that was made goes before the one it ended is put back: they would overlap.
MADE_FIRST = ExpressionWrapper(Q(before__isnull=False), output_field=BooleanField()).asc()


@transaction.atomic
def undo_import(*, job_id: int, actor: User | None, now: datetime) -> ImportJob:
    """Take back an import: cancel its orders, correct its stock away, remove or restore its rows.

    What something else refers to by now is kept, and the import's message counts it. Repeating it
    is refused. Locks the import.

    Raises:
        ImportJob.DoesNotExist: there is no such import.
        TransitionNotAllowed: it is running, or was undone.
        ImportShipped: an order of it has shipped.

    Publishes:
        ImportSettled
    """
    job = ImportJob.objects.lock(job_id)
    if rows(SHIPPED, [job.pk])[0][0]:
        raise ImportShipped("Orders of this import have shipped: it cannot be undone any more.")
    kept = undone = 0
    effects = ImportEffect.objects.filter(job=job).order_by(MADE_FIRST, "-pk")
    for effect in effects.iterator(chunk_size=BATCH):
        if _undo_one(effect, actor, now):
            undone += 1
        else:
            kept += 1
    message = f"{undone} rows taken back" + (
        f", {kept} kept: something uses them." if kept else "."
    )
    job.undo(at=now, message=message)
    job.save(update_fields=["state", "finished_at", "message"])
    change = Change(
        entity_id=job.entity_id,
        action="partners.undo_import",
        subject_kind="partners.import",
        subject_id=job.pk,
        thread=f"partners.import:{job.pk}",
        after={"undone": undone, "kept": kept},
    )
    record(changes=[change], actor=actor, now=now)
    publish(
        ImportSettled(
            job_id=job.pk, entity_id=job.entity_id, state=str(job.state), wrong=job.rows_wrong
        )
    )
    return job


def _undo_one(effect: ImportEffect, actor: User | None, now: datetime) -> bool:
    try:
        with transaction.atomic():
            if effect.model == "orders.Order":
                cancel_order(
                    order_id=effect.object_id, actor=actor, reason="import undone", now=now
                )
            elif effect.model == "inventory.Adjustment":
                _correct_away(effect.object_id, actor, now)
            else:
                _put_back(effect)
    except (*REFUSALS, IntegrityError):
        return False
    return True


def _correct_away(adjustment_id: int, actor: User | None, now: datetime) -> None:
    adjustments = [
        StockAdjustment(**found, reason=f"import undone: adjustment {adjustment_id}")
        for found in records(ADJUSTED, [adjustment_id])
    ]
    adjust_stock(adjustments=adjustments, kind="opening", actor=actor, now=now)


def _put_back(effect: ImportEffect) -> None:
    """Remove a row that the import created, or write back what it was before."""
    model: Any = apps.get_model(effect.model)
    meta = model._meta  # noqa: SLF001  the table and columns of a model known only by name
    if effect.before is None:
        run(f'DELETE FROM "{meta.db_table}" WHERE id = %s', [effect.object_id])  # noqa: S608
        run("SET CONSTRAINTS ALL IMMEDIATE")
        return
    columns = ", ".join(
        f'"{field.column}"'
        for field in meta.concrete_fields
        if not field.primary_key and not field.generated
    )
    run(
        f'UPDATE "{meta.db_table}" SET ({columns}) = (SELECT {columns}'  # noqa: S608
        f' FROM jsonb_populate_record(NULL::"{meta.db_table}", %s)) WHERE id = %s',
        [json.dumps(effect.before), effect.object_id],
    )
