"""erp/web/handlers.py"""

import json
from datetime import UTC, datetime

import redis
from django.conf import settings

from erp.outbox.registry import Envelope
from erp.web.handlers import tell_open_pages
from erp.web.live import CHANNEL


def fact(name: str, entity_id: int | None, key: str = "order:7") -> Envelope:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Envelope(
        message_id=1, name=name, key=key, entity_id=entity_id, published_at=at, payload={}
    )


def test_facts_become_topics_of_their_entity() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as line, line.pubsub() as heard:
        heard.subscribe(CHANNEL)
        while heard.get_message(timeout=5) is None:
            pass

        tell_open_pages([
            fact("inventory.shipment_packed", 3), fact("orders.order_held", 3),
            fact("orders.order_held", None), fact("nobody.knows", 3),
        ])  # fmt: skip

        said = [json.loads(heard.get_message(timeout=5)["data"]) for _ in range(2)]
        assert heard.get_message(timeout=0.1) is None
    assert sorted((s["topic"], s["entity"]) for s in said) == [("orders", 3), ("shipments", 3)]
