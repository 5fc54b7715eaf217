"""Finds where goods of a stock row go: the same goods at another place, owner or status."""

from collections.abc import Sequence
from datetime import datetime

from erp.kernel.sql import rows
from inventory.services._posting import Key, balances

GOODS = """
    SELECT s.id, s.entity_id, s.node_id, s.product_id, s.status, coalesce(s.lot_id, 0)
    FROM inventory_stock s WHERE s.id = ANY(%s)
"""


def siblings(
    wanted: Sequence[tuple[int, int, int, str]], *, now: datetime | None = None
) -> list[int]:
    """Return the stock rows for goods of (stock id, entity, node, status), made where they lack.

    Locks both sides: costs first, then stock rows, each in id order. Three statements.
    """
    goods = {row[0]: row[1:] for row in rows(GOODS, [[each[0] for each in wanted]])}
    sources = [_key(goods[stock_id][0], goods[stock_id][1], goods[stock_id]) for stock_id in goods]
    targets = [
        _key(entity_id, node_id, goods[stock_id], status)
        for stock_id, entity_id, node_id, status in wanted
    ]
    held = balances([*sources, *targets], now=now)
    return [held[key].stock_id for key in targets]


def _key(
    entity_id: int, node_id: int, goods: tuple[int, int, int, str, int], status: str = ""
) -> Key:
    _, _, product_id, old, lot_id = goods
    return Key(entity_id, node_id, product_id, status or old, lot_id)
