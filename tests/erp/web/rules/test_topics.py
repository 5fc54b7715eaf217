"""erp/web/rules/topics.py"""

import pytest

from erp.outbox.registry import event_types
from erp.web.rules.topics import topics_of


@pytest.mark.parametrize(
    ("name", "topics"),
    [
        ("orders.order_held", ("orders",)),
        ("inventory.shipment_packed", ("shipments", "orders")),
        ("inventory.stock_fell", ("stock",)),
        ("procurement.purchase_order_received", ("receipts", "purchasing", "stock")),
        ("nobody.knows_this", ()),
    ],
)
def test_the_longest_beginning_counts(name: str, topics: tuple[str, ...]) -> None:
    assert topics_of(name) == topics


def test_every_fact_of_ours_concerns_some_page() -> None:
    silent = [
        name
        for name, kind in event_types().items()
        if not kind.__module__.startswith("tests") and not topics_of(name)
    ]

    assert not silent
