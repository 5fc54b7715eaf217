"""Changes how a company values what it owns."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from inventory.models import ProductCost

if TYPE_CHECKING:
    from erp.accounts.models import User

Method = ProductCost.Method

LOCK = """
    SELECT c.id, c.product_id FROM inventory_productcost c
    WHERE c.entity_id = %(entity)s AND c.product_id = ANY(%(products)s) AND c.method <> %(method)s
    ORDER BY c.id FOR UPDATE
"""

# What is owned becomes one layer at what it is worth; or all layers end, and nothing of their worth
# with them: from then on it is in the average.
LAYER = """
    WITH changed AS (
        UPDATE inventory_productcost SET method = 'fifo' WHERE id = ANY(%(costs)s)
        RETURNING id, entity_id, product_id, quantity, value
    )
    INSERT INTO inventory_costlayer (entity_id, product_id, at, cause_kind, cause_id, quantity,
        value, quantity_left, value_left)
    SELECT entity_id, product_id, %(now)s, 'inventory.productcost', id, quantity, value, quantity,
        value
    FROM changed WHERE quantity > 0
    RETURNING id
"""

AVERAGE = """
    WITH changed AS (
        UPDATE inventory_productcost SET method = 'average' WHERE id = ANY(%(costs)s)
        RETURNING id, entity_id, product_id
    ), ended AS (
        SELECT l.id, l.quantity_left, l.value_left, changed.id AS cost_id
        FROM inventory_costlayer l
        JOIN changed ON changed.product_id = l.product_id AND changed.entity_id = l.entity_id
        WHERE l.quantity_left > 0
    ), emptied AS (
        UPDATE inventory_costlayer l SET quantity_left = 0, value_left = 0
        FROM ended WHERE ended.id = l.id
    )
    INSERT INTO inventory_layerissue (layer_id, at, kind, cause_kind, cause_id, quantity, value)
    SELECT id, %(now)s, 'method', 'inventory.productcost', cost_id, -quantity_left, -value_left
    FROM ended
    RETURNING id
"""


class UnknownMethod(DomainError):
    """Nothing is valued like that."""

    code: ClassVar[str] = "unknown_costing_method"


@transaction.atomic
def change_costing(
    *,
    entity_id: int,
    product_ids: Collection[int],
    method: str,
    actor: "User | None",
    now: datetime,
) -> list[int]:
    """Value what a company owns of these products differently from now on; return which changed.

    Its worth stays what it is to the cent: first in, first out begins with one layer of all that is
    there; the moving average goes on from the sum of the layers. What was posted stays. Locks the
    costs in id order.

    Raises:
        UnknownMethod: it is neither `average` nor `fifo`.
    """
    if method not in Method.values:
        raise UnknownMethod(f"“{method[:20]}” is no way to value stock.")
    params = {"entity": entity_id, "products": list(product_ids), "method": method}
    found = rows(LOCK, params)
    statement = LAYER if method == Method.FIFO else AVERAGE
    rows(statement, {"costs": [row[0] for row in found], "now": now})
    record(
        changes=[
            Change(
                entity_id=entity_id,
                action="inventory.change_costing",
                subject_kind="inventory.productcost",
                subject_id=cost_id,
                thread=f"inventory.product:{product_id}",
                after={"method": method},
            )
            for cost_id, product_id in found
        ],
        actor=actor,
        now=now,
    )
    return [row[1] for row in found]
