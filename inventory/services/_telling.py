"""Words the facts about stock that several services tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from inventory.events import StockFell, StockReceived

Place = tuple[int, int, int]  # entity, node, product


def fallen(places: Iterable[Place]) -> list[StockFell]:
    """Return one fact per company and node, with all its products."""
    products: dict[tuple[int, int], set[int]] = defaultdict(set)
    for entity_id, node_id, product_id in places:
        products[entity_id, node_id].add(product_id)
    return [
        StockFell(entity_id=entity_id, node_id=node_id, product_ids=",".join(map(str, sorted(ids))))
        for (entity_id, node_id), ids in sorted(products.items())
    ]


def received(quantities: Mapping[Place, Decimal]) -> list[StockReceived]:
    """Return one fact per company, node and product."""
    return [
        StockReceived(
            entity_id=entity_id, node_id=node_id, product_id=product_id, quantity=f"{quantity:f}"
        )
        for (entity_id, node_id, product_id), quantity in sorted(quantities.items())
    ]
